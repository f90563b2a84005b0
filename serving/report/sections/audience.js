// Draws both charts from the figures in #audience-series; colours and tier names come from the page, so they follow its theme.
(() => {
  "use strict";
  const source = document.getElementById("audience-series");
  if (!source || !window.Plotly) return;
  const data = JSON.parse(source.textContent);
  const DAY = 86400000;
  const BREAK = 40; // pixels between two periods
  const MARGIN = { l: 50, r: 8, t: 26, b: 46 };
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const STEPS = [1, 2, 3, 4, 5, 7, 10, 14, 21, 28, 42, 56, 84, 112, 168, 365];
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const names = new Map(
    [...document.querySelectorAll("[data-tier]")].map((item) => [item.dataset.tier, plain(item.textContent)])
  );

  // Plotly reads a subset of HTML in labels.
  function plain(text) {
    return text.replace(/[^\p{L}\p{N} _.,+-]/gu, " ").trim();
  }
  function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }
  function time(text) {
    return Date.parse(text + "T00:00:00Z");
  }
  function span(period) {
    return (time(period.days[period.days.length - 1]) - time(period.days[0])) / DAY + 1;
  }

  // Width of each period in pixels: by its days, but none too narrow for a label.
  function widths(total) {
    const least = Math.min(96, total / data.periods.length);
    const result = new Array(data.periods.length).fill(0);
    let open = data.periods.map((_, i) => i);
    let left = total;
    for (;;) {
      const days = open.reduce((sum, i) => sum + span(data.periods[i]), 0);
      const narrow = open.filter((i) => (left * span(data.periods[i])) / days < least);
      if (!narrow.length) {
        open.forEach((i) => { result[i] = (left * span(data.periods[i])) / days; });
        return result;
      }
      narrow.forEach((i) => { result[i] = least; left -= least; });
      open = open.filter((i) => !narrow.includes(i));
      if (!open.length) return result;
    }
  }

  function ticks(period, pixels) {
    const first = time(period.days[0]);
    const days = span(period);
    const room = Math.max(1, Math.floor(pixels / 46));
    const step = STEPS.find((s) => Math.ceil(days / s) <= room) || days;
    const at = [];
    const text = [];
    let year = null;
    for (let day = 0; day < days; day += step) {
      const moment = new Date(first + day * DAY);
      const label = `${moment.getUTCDate()} ${MONTHS[moment.getUTCMonth()]}`;
      at.push(moment.toISOString().slice(0, 10));
      text.push(year === moment.getUTCFullYear() ? label : `${label}<br>${moment.getUTCFullYear()}`);
      year = moment.getUTCFullYear();
    }
    return { at, text };
  }

  function frame(box, ink, middle) {
    const outer = box.clientWidth;
    const inner = Math.max(outer - MARGIN.l - MARGIN.r, 120);
    const gaps = BREAK * (data.periods.length - 1);
    const layout = {
      width: outer, barmode: "stack", bargap: 0, showlegend: false, margin: MARGIN, dragmode: false,
      hovermode: "x unified", paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: ink.family, size: 12.5, color: ink.soft },
      hoverlabel: { bgcolor: ink.card, bordercolor: ink.line, font: { color: ink.text, size: 13, family: ink.family } },
      annotations: [],
    };
    const bars = [];
    let from = 0;
    widths(inner - gaps).forEach((pixels, i) => {
      const period = data.periods[i];
      const first = time(period.days[0]);
      const last = time(period.days[period.days.length - 1]);
      const labels = ticks(period, pixels);
      layout["xaxis" + (i ? i + 1 : "")] = {
        type: "date", domain: [from / inner, Math.min((from + pixels) / inner, 1)], fixedrange: true,
        range: [first - DAY / 2, last + DAY / 2], showgrid: false, zeroline: false, showline: true, linecolor: ink.faint,
        tickmode: "array", tickvals: labels.at, ticktext: labels.text, tickangle: 0, ticks: "outside", ticklen: 4,
        tickcolor: ink.faint, spikecolor: ink.faint, spikethickness: 1, spikedash: "solid", hoverformat: "%-d %b %Y", unifiedhovertitle: { text: "<b>%{x|%-d %b %Y}</b>" },
      };
      if (i) {
        layout.annotations.push({
          xref: "paper", yref: "paper", x: (from - BREAK / 2) / inner, y: middle, textangle: -90, showarrow: false,
          text: `${period.days_without.toLocaleString("en")} days without data`, font: { size: 11.5, color: ink.faint },
        });
        layout.annotations.push({
          xref: "paper", yref: "paper", x: (from - BREAK / 2) / inner, y: 0, yanchor: "middle", showarrow: false,
          text: "//", font: { size: 14, color: ink.faint },
        });
      }
      // Below some width a gap between bars only flickers.
      const perDay = pixels / span(period);
      bars.push((perDay < 8 ? 1 : Math.min(0.82, 46 / perDay)) * DAY);
      from += pixels + BREAK;
    });
    return { layout, bars };
  }

  function marker(tier, ink) {
    if (!tier.unknown) return { color: color("--" + tier.key), line: { width: 0 } };
    return {
      color: ink.unknown, line: { width: 0 },
      pattern: { shape: "/", fillmode: "overlay", fgcolor: ink.unknownLine, size: 6, solidity: 0.22 },
    };
  }

  function bar(i, y, values, name, look, bars, yaxis) {
    return {
      type: "bar", x: data.periods[i].days, y: values, name, marker: look, width: bars[i],
      xaxis: "x" + (i ? i + 1 : ""), yaxis, hovertemplate: `%{y:,}<extra>${name}</extra>`,
    };
  }

  function axis(ink, more) {
    return {
      fixedrange: true, gridcolor: ink.grid, zeroline: false, rangemode: "tozero", exponentformat: "B", separatethousands: true,
      ticks: "", nticks: 6, ...more,
    };
  }
  function caption(text, y, ink) {
    return {
      xref: "paper", yref: "paper", x: 0, xanchor: "left", xshift: -44, y, yanchor: "bottom", yshift: 6, showarrow: false,
      text, font: { size: 12.5, color: ink.soft },
    };
  }

  function drawAccounts(box, ink) {
    const { layout, bars } = frame(box, ink, 0.5);
    const traces = data.periods.flatMap((period, i) =>
      period.series.map((one, t) => bar(i, "y", one.accounts, names.get(one.key), marker(data.tiers[t], ink), bars, "y"))
    );
    Object.assign(layout, { height: 340, yaxis: axis(ink, {}) });
    layout.annotations.push(caption("Accounts", 1, ink));
    window.Plotly.react(box, traces, layout, { displayModeBar: false, responsive: false });
  }

  function drawFollowers(box, ink) {
    const { layout, bars } = frame(box, ink, 0.685);
    const grey = { color: ink.known, line: { width: 0 } };
    const traces = data.periods.flatMap((period, i) => [
      ...period.series
        .map((one, t) => [one, data.tiers[t]])
        .filter(([one]) => one.followers.some((value) => value !== null))
        .map(([one, tier]) => bar(i, "y", one.followers, names.get(one.key), marker(tier, ink), bars, "y")),
      bar(i, "y2", period.known, "Accounts known", grey, bars, "y2"),
      bar(i, "y2", period.unknown, "Accounts unknown", marker({ unknown: true }, ink), bars, "y2"),
    ]);
    Object.assign(layout, {
      height: 440, yaxis: axis(ink, { domain: [0.37, 1] }), yaxis2: axis(ink, { domain: [0, 0.22], nticks: 3 }),
    });
    Object.keys(layout).filter((key) => key.startsWith("xaxis")).forEach((key) => { layout[key].anchor = "y2"; });
    layout.annotations.push(caption("Followers", 1, ink), caption("Accounts they stand on (hatched: unknown)", 0.22, ink));
    window.Plotly.react(box, traces, layout, { displayModeBar: false, responsive: false });
  }

  function draw() {
    const ink = {
      text: color("--ink"), soft: color("--soft"), faint: color("--faint"), line: color("--line"), grid: color("--grid"),
      card: color("--card"), unknown: color("--unknown"), unknownLine: color("--unknown-line"), known: color("--known"),
      family: getComputedStyle(document.body).fontFamily,
    };
    document.querySelectorAll(".chart-off").forEach((note) => note.remove());
    drawAccounts(document.getElementById("accounts-chart"), ink);
    drawFollowers(document.getElementById("followers-chart"), ink);
  }

  let width = 0;
  const watched = document.getElementById("accounts-chart");
  new ResizeObserver(() => {
    if (watched.clientWidth === width) return;
    width = watched.clientWidth;
    draw();
  }).observe(watched);
  dark.addEventListener("change", draw);
})();
