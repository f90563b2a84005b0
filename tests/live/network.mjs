// A Bluesky network of its own: directory, server of accounts and AppView, with accounts that post and follow.
// Prints one line of JSON when all of it answers: the DIDs of its accounts. Ends on SIGTERM.
import { TestNetwork } from '@atproto/dev-env'

const ACCOUNTS = Number(process.env.ACCOUNTS)
const APPVIEW = Number(process.env.APPVIEW_PORT)

const network = await TestNetwork.create({
  plc: { port: APPVIEW + 1 },
  pds: { port: APPVIEW + 2, hostname: 'localhost', enableDidDocWithSession: true },
  bsky: { port: APPVIEW, publicUrl: `http://localhost:${APPVIEW}`, dbPostgresSchema: 'bsky' },
  ozone: { port: APPVIEW + 3, chatUrl: `http://localhost:${APPVIEW + 4}`, chatDid: 'did:example:chat' },
})
const client = network.getSeedClient()
const dids = []
for (let n = 0; n < ACCOUNTS; n++) {
  const made = await client.createAccount(`creator${n}`, {
    handle: `creator${n}.test`,
    email: `creator${n}@example.com`,
    password: 'of-a-test-network',
  })
  dids.push(made.did)
}
for (const did of dids.slice(1)) await client.follow(did, dids[0])
const post = await client.post(dids[0], 'first post')
await client.post(dids[0], 'second post')
for (const did of dids.slice(1, 11)) await client.like(did, post.ref)
await client.reply(dids[3], post.ref, post.ref, 'nice')
await client.repost(dids[4], post.ref)
await network.processAll()
console.log(JSON.stringify(dids))
process.on('SIGTERM', async () => {
  await network.close()
  process.exit(0)
})
