"use strict";
(() => {
  const root = document.documentElement;
  const NARROW_PIXELS = 600;
  const PRINTED_HEIGHT = 0.85; // two charts on a sheet
  const charts = [...document.querySelectorAll("script[data-chart]")].map((element) => ({
    place: document.getElementById(element.dataset.chart),
    made: JSON.parse(element.textContent),
  }));
  const config = JSON.parse(document.getElementById("config").textContent);
  if (matchMedia("(hover: none)").matches) config.displayModeBar = false;

  // Charts: drawn after the text, and again whenever the theme, the width or the medium changes.
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  function adapted({ place, made }) {
    const { data, layout } = structuredClone(made);
    const facts = layout.meta || {};
    layout.font = { ...layout.font, color: colour("--ink") };
    layout.hoverlabel = { bgcolor: colour("--card"), bordercolor: colour("--line"), font: { color: colour("--ink") } };
    layout.margin = { ...layout.margin, t: 8 };
    if (root.classList.contains("printing")) layout.height *= PRINTED_HEIGHT;
    layout.width = place.clientWidth;
    if (place.clientWidth < NARROW_PIXELS) {
      for (const [path, value] of Object.entries(facts.narrow || {})) assign(layout, path.split("."), value);
      for (const trace of data) Object.assign(trace, (facts.narrow_traces || {})[trace.name]);
    }
    return { data, layout };
  }

  function assign(layout, [name, ...rest], value) {
    if (rest.length) assign((layout[name] ??= {}), rest, value);
    else layout[name] = value;
  }

  async function draw(chart) {
    const { data, layout } = adapted(chart);
    await Plotly.react(chart.place, data, layout, config);
    // Read aloud, loose labels and ticks make no sense: the figure has a name, and its numbers are a table.
    chart.place.querySelectorAll("svg.main-svg").forEach((svg) => svg.setAttribute("aria-hidden", "true"));
    chart.width = chart.place.clientWidth;
    chart.place.style.minHeight = "";
  }

  async function unpack(packed) {
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  }

  async function start() {
    if (!charts.length) return void (root.dataset.drawn = 0);
    const script = document.createElement("script");
    script.textContent = await unpack(document.getElementById("plotly").textContent);
    document.head.append(script);
    for (const chart of charts) {
      chart.place.replaceChildren();
      await draw(chart);
      await new Promise((done) => setTimeout(done));
    }
    new ResizeObserver(() => charts.filter((chart) => chart.place.clientWidth !== chart.width).forEach(draw)).observe(
      document.querySelector("main"),
    );
    root.dataset.drawn = charts.length;
  }

  function redraw() {
    if (root.dataset.drawn) charts.forEach(draw);
  }

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const themeButton = document.getElementById("theme");
  function setTheme(theme) {
    if (theme) root.dataset.theme = theme;
    themeButton.setAttribute("aria-pressed", String(isDark()));
    redraw();
  }
  themeButton.addEventListener("click", () => setTheme(isDark() ? "light" : "dark"));
  dark.addEventListener("change", () => setTheme());
  document.getElementById("print").addEventListener("click", () => print());
  let before;
  addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.classList.add("printing");
    setTheme("light");
  });
  addEventListener("afterprint", () => {
    root.classList.remove("printing");
    if (!before) delete root.dataset.theme;
    setTheme(before);
  });

  // The ads table.
  const ads = document.getElementById("ads");
  if (ads) {
    const headings = [...ads.tHead.rows[0].cells];
    const bodies = new Map([...ads.tBodies].map((body) => [body.dataset.level, body]));
    let body = bodies.get("ad");
    let sorted = { index: headings.findIndex((heading) => heading.ariaSort), down: true };
    const value = (cell) => cell.dataset.value ?? text(cell);
    const text = (cell) => cell.dataset.text ?? cell.textContent.trim();
    const pressed = (buttons, name, chosen) =>
      buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset[name] === chosen)));

    function sort({ index, down }) {
      sorted = { index, down };
      const isNumber = headings[index].classList.contains("number");
      headings.forEach((heading) => heading.removeAttribute("aria-sort"));
      headings[index].setAttribute("aria-sort", down ? "descending" : "ascending");
      const order = (one, other) => {
        const [left, right] = [value(one.cells[index]), value(other.cells[index])];
        if (!left || !right) return Number(!left) - Number(!right);  // the unknown stays last, either way
        const difference = isNumber ? left - right : left.localeCompare(right, "en", { numeric: true });
        return down ? -difference : difference;
      };
      body.append(...[...body.rows].sort(order));
    }
    headings.forEach((heading, index) => {
      const first = heading.classList.contains("number");
      heading.firstElementChild.addEventListener("click", () =>
        sort({ index, down: sorted.index === index ? !sorted.down : first }),
      );
    });

    const presets = [...document.querySelectorAll("[data-preset]")];
    function choose(preset) {
      const wanted = headings.map((heading) => preset === "all" || heading.dataset.presets.split(" ").includes(preset));
      for (const row of ads.rows) [...row.cells].forEach((cell, index) => (cell.hidden = !wanted[index]));
      pressed(presets, "preset", preset);
      edge();
    }
    presets.forEach((button) => button.addEventListener("click", () => choose(button.dataset.preset)));

    const levels = [...document.querySelectorAll("button[data-level]")];
    function setLevel(level) {
      body = bodies.get(level);
      bodies.forEach((other) => (other.hidden = other !== body));
      headings[0].firstElementChild.textContent = body.dataset.name;
      pressed(levels, "level", level);
      sort(sorted);
      find();
    }
    levels.forEach((button) => button.addEventListener("click", () => setLevel(button.dataset.level)));

    const filter = document.getElementById("filter");
    function find() {
      const wanted = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      const rows = [...body.rows];
      for (const row of rows) {
        const words = [...row.cells].filter((cell) => cell.dataset.value === undefined).map(text).join(" ").toLowerCase();
        row.hidden = !wanted.every((word) => words.includes(word));
      }
      const shown = rows.filter((row) => !row.hidden).length;
      document.getElementById("shown").textContent = `${shown} of ${rows.length} rows`;
    }
    filter.addEventListener("input", find);

    // A text that begins like a formula gets a quote in front: a spreadsheet would run it.
    const quoted = (words) => `"${words.replaceAll('"', '""')}"`;
    // An interval sorts by its lower end, but is both ends.
    const isText = (cell) => cell.dataset.value === undefined || cell.classList.contains("interval");
    const safe = (cell) => (isText(cell) ? quoted(text(cell).replace(/^(?=[=+\-@\t\r])/, "'")) : cell.dataset.value);
    const download = document.getElementById("download");
    download.addEventListener("click", () => {
      const rows = [...body.rows].filter((row) => !row.hidden);
      const lines = [headings.map((heading) => quoted(text(heading))), ...rows.map((row) => [...row.cells].map(safe))];
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(["\ufeff", lines.map((line) => line.join(",")).join("\r\n"), "\r\n"], { type: "text/csv" }));
      link.download = `${body.dataset.level}s_${download.dataset.days}.csv`;
      link.click();
      URL.revokeObjectURL(link.href);
    });

    // Everything about one row, and the command that lists what is behind it.
    const detail = document.getElementById("detail");
    const behind = document.getElementById("behind");
    const element = (name, words) => Object.assign(document.createElement(name), { textContent: words });
    function open(row) {
      const [name, ...cells] = row.cells;
      document.getElementById("detail-name").textContent = text(name);
      detail.querySelector("dl").replaceChildren(
        ...cells.map((cell, index) => {
          const pair = document.createElement("div");
          pair.append(element("dt", text(headings[index + 1])), element("dd", text(cell)));
          return pair;
        }),
      );
      const asks = name.dataset.key && body.dataset.level !== "adset";
      behind.hidden = !asks;
      if (asks) behind.lastElementChild.textContent = `ctm conversations --${body.dataset.level} ${name.dataset.key} ${behind.dataset.days}`;
      detail.showModal();
    }
    for (const row of [...bodies.values()].flatMap((each) => [...each.rows])) {
      const button = Object.assign(document.createElement("button"), { type: "button" });
      button.append(...row.cells[0].childNodes);
      button.addEventListener("click", () => open(row));
      row.cells[0].append(button);
    }
    document.getElementById("close").addEventListener("click", () => detail.close());

    const region = ads.parentElement;
    function edge() {
      region.classList.toggle("more", region.scrollLeft + region.clientWidth < region.scrollWidth - 12);
    }
    region.addEventListener("scroll", edge);
    addEventListener("resize", edge);
    document.querySelector(".controls").hidden = false;
    choose("sales");
    find();
  }

  document.querySelector(".tools").hidden = false;
  setTheme();
  requestAnimationFrame(() => setTimeout(start));
})();
