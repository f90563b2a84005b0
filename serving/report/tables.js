"use strict";
// Draws the tables of this page and lets a reader search, sort, filter and take them along. It asks no network and keeps
// nothing; whatever people landed is set as text, never as markup.
(() => {
  const STEP = 100;
  const UNKNOWN = "–";
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const NUMBERS = new Set(["count", "money", "roi", "share", "decimal"]);
  const tables = new Map();

  const make = (tag, attributes = {}, ...inside) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...inside);
    return node;
  };
  const grouped = (value, digits) =>
    value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const sign = (value) => (value < 0 ? "−" : value > 0 ? "+" : "");

  // As `formatting.returned`: a decimal where it says something, and never −100 % while a part came back.
  const percent = (value, signed) => {
    const size = Math.abs(value) * 100;
    let digits = Math.abs(size - Math.round(size)) < 1e-9 || size >= 1000 ? 0 : 1;
    while (value > -1 && value < 0 && digits < 3 && Number(size.toFixed(digits)) === 100) digits += 1;
    const text = !signed && size > 0 && size < 0.05 ? "<0.1" : grouped(size, digits);
    return (signed ? sign(value) : value < 0 ? "−" : "") + text + "\u202f%";
  };
  const shown = (column, cell) => {
    if (cell === null || cell === undefined) return UNKNOWN;
    switch (column.kind) {
      case "count": return sign(Math.min(cell, 0)) + grouped(Math.abs(cell), cell % 1 ? 1 : 0);
      case "money": return sign(Math.min(cell, 0)) + grouped(Math.abs(cell), Math.abs(cell) >= 10000 ? 0 : 2);
      case "decimal": return grouped(cell, 2);
      case "roi": return percent(cell, true);
      case "share": return percent(cell, false);
      case "day": { const [year, month, day] = cell.split("-"); return `${Number(day)} ${MONTHS[month - 1]} ${year}`; }
      default: return String(cell);
    }
  };
  const named = (column, cell) => (cell || []).map((place) => column.values[place]);
  const words = (column, cell) => {
    if (column.kind === "who") return cell.slice(0, 2);
    if (column.values) return named(column, cell);
    return column.kind === "text" && cell !== null ? [cell] : [];
  };
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  const draw = (column, cell) => {
    if (column.kind === "who") {
      const [name, id, simulated, href] = cell;
      const label = make("bdi", {}, name);
      const td = make("td", { class: "who" });
      td.append(href ? make("a", { href }, label) : label);
      const small = make("span", { class: "small" });
      if (id !== name) small.append(make("bdi", { class: "mono" }, id));
      if (simulated) small.append(" ", make("span", { class: "tag", title: "Made by a simulation, not observed" }, "simulated"));
      if (small.childNodes.length) td.append(small);
      return td;
    }
    const td = make("td");
    if (NUMBERS.has(column.kind)) td.className = "n";
    if (column.kind === "day") td.className = "keep";
    const text = column.values ? named(column, cell).join(", ") || UNKNOWN : shown(column, cell);
    if (column.kind === "roi" && cell) td.append(make("span", { class: cell > 0 ? "up" : "down" }, text));
    else td.append(column.kind === "text" ? make("bdi", {}, text) : text);
    if (text === UNKNOWN) td.title = "unknown";
    return td;
  };

  // What a reader's spreadsheet may take for a formula gets a quote before it; numbers of ours stay numbers.
  const csvCell = (data, value) => {
    if (value === null || value === undefined) return '""';
    if (typeof value === "number") return `"${value}"`;
    const text = data.formulas.includes(value.charAt(0)) && value !== "" ? `'${value}` : value;
    return `"${text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, " ").replaceAll('"', '""')}"`;
  };
  const csv = (data, rows) => {
    const wide = (column, cell) =>
      column.kind === "who" ? [cell[0], cell[1], cell[2] ? "simulated" : "observed"]
        : [column.values ? named(column, cell).join(", ") || null : cell];
    const heads = data.columns.flatMap((column) =>
      column.kind === "who" ? [column.label, `${column.label} id`, "Origin"] : [column.label]);
    const lines = rows.map((row) => data.columns.flatMap((column, place) => wide(column, row[place])));
    return [heads, ...lines].map((line) => line.map((value) => csvCell(data, value)).join(",")).join("\r\n") + "\r\n";
  };

  const compare = (column, place, way) => (one, other) => {
    const key = (row) => {
      const cell = row[place];
      if (column.kind === "who") return plain(cell[0]);
      return column.values ? (cell.length ? cell[0] : null) : cell;
    };
    const [a, b] = [key(one), key(other)];
    if (a === null || b === null) return (a === null) - (b === null);
    return way * (typeof a === "string" ? a.localeCompare(b) : a - b);
  };

  const start = (tool) => {
    const data = JSON.parse(document.getElementById(`${tool.id}-data`).textContent);
    const body = tool.querySelector("tbody");
    const state = { words: "", least: null, filters: new Map(), sort: null, limit: Number(tool.dataset.first) };
    const texts = data.rows.map((row) => plain(data.columns.flatMap((column, place) => words(column, row[place])).join(" ")));
    const count = make("p", { class: "tool-count small", role: "status" });
    const save = make("button", { type: "button", class: "tool-save" });
    const more = make("button", { type: "button", class: "tool-more" });
    const selects = new Map();

    const kept = () => {
      const wanted = plain(state.words).split(/\s+/).filter(Boolean);
      const leastAt = data.columns.findIndex((column) => column.least);
      let rows = data.rows.filter((row, index) =>
        wanted.every((word) => texts[index].includes(word)) &&
        (state.least === null || (row[leastAt] !== null && row[leastAt] >= state.least)) &&
        [...state.filters].every(([place, value]) => (value === -1 ? !row[place].length : row[place].includes(value))));
      if (state.sort) rows = rows.toSorted ? rows.toSorted(compare(...state.sort)) : [...rows].sort(compare(...state.sort));
      return rows;
    };
    const redraw = () => {
      const rows = kept();
      body.replaceChildren(...rows.slice(0, state.limit).map((row) =>
        make("tr", {}, ...data.columns.map((column, place) => draw(column, row[place])))));
      if (!rows.length) body.append(make("tr", {}, make("td", { class: "unknown", colspan: data.columns.length }, "Nothing matches.")));
      const drawn = Math.min(state.limit, rows.length);
      count.textContent = `${grouped(drawn, 0)} of ${grouped(rows.length, 0)} shown`
        + (rows.length < data.rows.length ? `, chosen from ${grouped(data.rows.length, 0)}` : "");
      save.textContent = `CSV of ${rows.length === 1 ? "this row" : `these ${grouped(rows.length, 0)} rows`}`;
      save.disabled = !rows.length;
      more.hidden = drawn === rows.length;
      more.textContent = `Show ${grouped(Math.min(STEP, rows.length - drawn), 0)} more`;
    };

    const bar = make("div", { class: "tool-bar" });
    const search = make("input", { type: "search", placeholder: "Search" , "aria-label": `Search in ${tool.dataset.title}` });
    search.addEventListener("input", () => { state.words = search.value; redraw(); });
    bar.append(search);
    data.columns.forEach((column, place) => {
      if (column.values && (column.values.length > 1 || data.rows.some((row) => !row[place].length))) {
        const select = make("select", {}, make("option", { value: "" }, "All"),
          ...column.values.map((value, index) => make("option", { value: index }, value)));
        if (data.rows.some((row) => !row[place].length)) select.append(make("option", { value: -1 }, "unknown or none"));
        select.addEventListener("change", () => {
          if (select.value === "") state.filters.delete(place);
          else state.filters.set(place, Number(select.value));
          redraw();
        });
        selects.set(column.label, select);
        bar.append(make("label", {}, column.label, select));
      }
      if (column.least) {
        const least = make("input", { type: "number", min: "0", step: "any", inputmode: "decimal" });
        least.addEventListener("input", () => { state.least = least.value === "" ? null : Number(least.value); redraw(); });
        bar.append(make("label", {}, `${column.label} at least`, least));
      }
    });
    save.addEventListener("click", () => {
      const link = make("a", { download: data.file });
      link.href = URL.createObjectURL(new Blob(["\ufeff", csv(data, kept())], { type: "text/csv;charset=utf-8" }));
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
    bar.append(save);
    more.addEventListener("click", () => { state.limit += STEP; redraw(); });

    tool.querySelectorAll("thead th").forEach((head, place) => {
      const column = data.columns[place];
      const button = make("button", { type: "button", title: head.title || "Sort" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const first = NUMBERS.has(column.kind) || column.kind === "day" ? -1 : 1;
        const way = state.sort && state.sort[1] === place ? -state.sort[2] : first;
        state.sort = [column, place, way];
        tool.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
        redraw();
      });
    });
    tool.prepend(bar, count);
    tool.append(more);
    tables.set(tool.id, { only: (label, value) => {
      if (!label) {
        search.value = state.words = value;
        selects.forEach((select) => { select.value = ""; });
        state.filters.clear();
        redraw();
        return;
      }
      const select = selects.get(label);
      const option = select && [...select.options].find((each) => each.textContent === value);
      if (!option) return;
      search.value = state.words = "";
      select.value = option.value;
      select.dispatchEvent(new Event("change"));
    } });
    redraw();
  };

  // A link such as `#posts?Campaign=Spring` shows these rows of the table in that section, `#creators?=ann` searches it.
  const follow = () => {
    const [section, ...rest] = location.hash.slice(1).split("?");
    const asked = rest.join("?");
    const target = section && document.getElementById(section);
    if (!target) return;
    for (let part = target.parentElement; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    if (target.tagName === "DETAILS") target.open = true;
    if (!asked) return;
    const [label, value] = asked.split("=").map(decodeURIComponent);
    tables.get(`${section}-table`)?.only(label, value);
    target.scrollIntoView();
  };

  document.querySelectorAll(".tool").forEach(start);
  addEventListener("hashchange", follow);
  follow();
})();
