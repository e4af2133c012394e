"use strict";
// Draws the charts of #data as they come into view, and moves them all with one range of hours.
(() => {
  const HOUR = 3600e3, DAY = 24 * HOUR;
  const data = JSON.parse(document.getElementById("data").textContent);
  const count = data.hours.status.length;
  const end = data.begin + count * HOUR;
  const control = document.getElementById("control");
  const tip = document.getElementById("tip");
  const range = { from: 0, to: count };
  const charts = data.charts.map((chart) => ({ ...chart, figure: document.getElementById(chart.name) }));

  // -- figures ------------------------------------------------------------------------------------------------
  const numbers = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
  const ratios = new Intl.NumberFormat("en-US", { maximumFractionDigits: 4 });
  function bytes(kilobytes) {
    const units = ["kB", "MB", "GB", "TB", "PB"];
    let size = kilobytes, unit = 0;
    while (Math.abs(size) >= 999.5 && unit + 1 < units.length) { size /= 1000; unit += 1; }
    return `${Number(size.toPrecision(3))} ${units[unit]}`;
  }
  const forms = { kB: bytes, ratio: (value) => ratios.format(value) };
  const written = (value, unit) => value === null ? "not known" : (forms[unit] ?? ((number) => numbers.format(number)))(value);
  const minute = (time) => new Date(time).toISOString().slice(0, 16).replace("T", " ");
  const word = (kind, place) => {
    const code = data.hours[kind][place];
    return code === null ? null : data.words[kind][code];
  };

  // -- data of a chart, as its specification names them (chart_data.py makes the same for images) --------------
  function span(chart) {
    if (chart.grain === "hour") return [range.from, range.to];
    const day = (place) => (data.begin + place * HOUR - data.firstDay) / DAY;
    return [Math.floor(day(range.from)), Math.ceil(day(range.to))];
  }
  function row(chart, place) {
    const hourly = chart.grain === "hour";
    const columns = hourly ? data.hours : data.days;
    const t = hourly ? data.begin + place * HOUR : data.firstDay + place * DAY;
    const made = { t, t2: t + (hourly ? HOUR : DAY) };
    const [begin, finish] = [range.from, range.to].map((hour) => data.begin + hour * HOUR);
    made.mid = (Math.max(made.t, begin) + Math.min(made.t2, finish)) / 2;  // of the part that is shown
    for (const name of chart.columns) if (columns[name]) made[name] = columns[name][place];
    if ("anomaly" in made) made.anomaly = word("anomaly", place);
    const values = columns[chart.series[0][0]];
    made.lone = values[place] !== null && (values[place - 1] ?? null) === null && (values[place + 1] ?? null) === null;
    return made;
  }
  function rows(chart) {
    const [from, to] = span(chart), made = [];
    const main = chart.series[0][0], values = (chart.grain === "hour" ? data.hours : data.days)[main];
    for (let place = from; place < to; place += 1) {
      const one = row(chart, place);
      made.push(one);
      const ends = place + 1 === to || (values[place] !== null && values[place + 1] === null);  // of a line
      if (chart.grain === "hour" && ends) made.push({ ...one, t: one.t2, lone: false, anomaly: null });
    }
    return made;
  }
  const times = ([from, to], more) => ({ from: data.begin + from * HOUR, to: data.begin + to * HOUR, ...more });
  const stretches = [
    ...data.excused.map((each) => times(each, { kind: "excused" })),
    ...data.missing.map((each) => times(each, { kind: "missing" })),
  ];
  const runs = data.runs
    .map(([state, from, to]) => times([from, to], { state: data.states[state] }))
    .filter((run) => ["complete", "incomplete", "failed"].includes(run.state))
    .sort((one, other) => (one.state !== "complete") - (other.state !== "complete"));

  // -- drawing ------------------------------------------------------------------------------------------------
  function put(chart, sets) {
    const known = new Set(chart.spec.data.map((each) => each.name));
    for (const [name, values] of Object.entries(sets)) if (known.has(name)) chart.view.data(name, values);
  }
  function draw(chart) {
    const plot = chart.figure.querySelector(".plot");
    chart.dirty = false;
    if (!chart.view) {
      const holder = plot.appendChild(document.createElement("div"));
      chart.view = new vega.View(vega.parse(chart.spec, null, { ast: true }), {
        renderer: "canvas", container: holder, hover: false, expr: vega.expressionInterpreter,
      });
      put(chart, { stretches, runs });
    }
    put(chart, { rows: rows(chart) });
    chart.view
      .width(plot.clientWidth)
      .signal("from", data.begin + range.from * HOUR)
      .signal("to", data.begin + range.to * HOUR)
      .run();
    Object.assign(chart.figure.dataset, { from: range.from, to: range.to });
  }
  const seen = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const chart = charts.find((each) => each.figure === entry.target);
      if (entry.isIntersecting) seen.add(chart); else seen.delete(chart);
    }
    ask();
  }, { rootMargin: "150px 0px" });
  let asked = false;
  function ask() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      for (const chart of charts) if (chart.dirty && seen.has(chart)) draw(chart);
    });
  }
  function soil() {
    for (const chart of charts) chart.dirty = true;
    ask();
  }

  // -- the range ----------------------------------------------------------------------------------------------
  const [fromInput, toInput] = control.querySelectorAll("input");
  const buttons = [...control.querySelectorAll("button")];
  const slider = control.querySelector(".slider");
  const pieces = Object.fromEntries(["before", "after", "window"].map((name) => [name, slider.querySelector(`.${name}`)]));
  const LEAST = Math.min(count, 6);
  function length(hours) {
    const days = Math.floor(hours / 24), rest = hours % 24;
    return [days && `${days} d`, rest && `${rest} h`].filter(Boolean).join(" ");
  }
  function setRange(from, to) {
    const size = Math.max(LEAST, Math.min(count, Math.round(to) - Math.round(from)));
    range.from = Math.max(0, Math.min(count - size, Math.round(from)));
    range.to = range.from + size;
    const share = (place) => `calc((100% - var(--thumb)) * ${place / count} + var(--thumb) / 2)`;
    const [left, right] = [share(range.from), share(count - range.to)];
    Object.assign(pieces.before.style, { left: "calc(var(--thumb) / 2)", right: `calc(100% - ${left})` });
    Object.assign(pieces.after.style, { left: `calc(100% - ${right})`, right: "calc(var(--thumb) / 2)" });
    Object.assign(pieces.window.style, { left, right });
    fromInput.value = range.from;
    toInput.value = range.to;
    const [begin, finish] = [range.from, range.to].map((place) => minute(data.begin + place * HOUR));
    fromInput.setAttribute("aria-valuetext", `${begin} UTC`);
    toInput.setAttribute("aria-valuetext", `${finish} UTC`);
    control.querySelector("output").textContent = `${begin} to ${finish} UTC (${length(size)})`;
    for (const button of buttons) {
      const hours = button.dataset.days === "all" ? count : 24 * button.dataset.days;
      button.setAttribute("aria-pressed", String(range.to === count && size === Math.min(hours, count)
        && (hours < count || button.dataset.days === "all")));
    }
    soil();
  }
  for (const input of [fromInput, toInput]) input.max = count;
  fromInput.addEventListener("input", () => setRange(Math.min(+fromInput.value, range.to - LEAST), range.to));
  toInput.addEventListener("input", () => {
    const to = Math.max(+toInput.value, range.from + LEAST);
    setRange(Math.min(range.from, to - LEAST), to);
  });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      setRange(button.dataset.days === "all" ? 0 : count - 24 * button.dataset.days, count);
    });
  }
  pieces.window.addEventListener("pointerdown", (event) => {
    const start = { x: event.clientX, ...range };
    const move = (moved) => {
      const hours = Math.round((moved.clientX - start.x) / slider.clientWidth * count);
      const from = Math.max(0, Math.min(count - (start.to - start.from), start.from + hours));
      setRange(from, from + start.to - start.from);
    };
    follow(pieces.window, event, move, () => {});
  });
  function follow(element, event, move, done) {
    element.setPointerCapture(event.pointerId);
    const finish = (ended) => {
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", finish);
      element.removeEventListener("pointercancel", finish);
      done(ended);
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", finish);
    element.addEventListener("pointercancel", finish);
  }
  const STRIP = { complete: "#b9d9ec", incomplete: "#e69f00", failed: "#7a3f98", missing: "#b3261e", "not in the history": "#ffffff" };
  function paintStrip() {
    const canvas = slider.querySelector("canvas"), ratio = window.devicePixelRatio || 1;
    const width = canvas.width = Math.round(canvas.clientWidth * ratio);
    const height = canvas.height = Math.round(canvas.clientHeight * ratio);
    const pen = canvas.getContext("2d");
    const block = (colour, from, to, top) => {
      pen.fillStyle = colour;
      const x = from / count * width;
      pen.fillRect(x, top * height, Math.max(to / count * width - x, ratio), height);
    };
    const order = ["not in the history", "complete", "incomplete", "failed", "missing"];
    for (const state of order) {
      for (const [code, from, to] of data.runs) if (data.states[code] === state) block(STRIP[state], from, to, 0);
    }
    for (const [from, to] of data.excused) { block("#ffffff", from, to, 0); block("#c3c8ce", from, to, 0); }
  }

  // -- hovering and brushing a chart ---------------------------------------------------------------------------
  function hourAt(chart, event) {
    const box = chart.figure.querySelector("canvas").getBoundingClientRect();
    const left = chart.view.origin()[0] + chart.view.padding().left;
    const scale = chart.view.scale("x"), [first, last] = scale.range();
    const x = Math.max(first, Math.min(last - 0.01, event.clientX - box.left - left));
    return (scale.invert(x).getTime() - data.begin) / HOUR;
  }
  function xOf(chart, place) {
    const time = data.begin + place * HOUR;
    return chart.view.origin()[0] + chart.view.padding().left + chart.view.scale("x")(time);
  }
  function lines(chart, place) {
    const hourly = chart.grain === "hour";
    const columns = hourly ? data.hours : data.days;
    const said = chart.series.map(([column, label]) => [label, written(columns[column][place], chart.unit)]);
    const low = hourly && chart.band ? columns.band_lo_kb[place] : null;
    if (low !== null) said.push(["expected", `${bytes(low)} to ${bytes(columns.band_hi_kb[place])}`]);
    if (hourly && chart.anomalies && ["low", "high"].includes(word("anomaly", place))) {
      said.push(["anomaly", `${word("anomaly", place)}, score ${written(data.hours.score[place])}`]);
    }
    if (low !== null && word("baseline", place) !== "hour of week") said.push(["warming up", `by ${word("baseline", place)}`]);
    if (hourly) said.push(["status", word("status", place) ?? "not in the history"]);
    else if (columns.is_partial[place]) said.push(["partial day", `${columns.closed_hours[place]} of 24 hours`]);
    return said;
  }
  function remarks(chart, place) {
    if (chart.grain !== "hour") return dayRemarks(place);
    const said = [];
    const excuse = word("excuse", place);
    if (excuse !== null) said.push(`Excused: ${excuse}`);
    const names = data.missingTables[place];
    const missing = data.hours.tables_missing[place];
    if (names?.length) {
      const more = missing - names.length;
      said.push(`Missing: ${names.map((code) => data.tables[code]).join(", ")}${more > 0 ? ` and ${more} more` : ""}`);
    }
    return said;
  }
  function dayRemarks(day) {
    const first = Math.max(0, (data.firstDay + day * DAY - data.begin) / HOUR);
    const last = Math.min(count, (data.firstDay + (day + 1) * DAY - data.begin) / HOUR);
    const within = (found) => found.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, last) - Math.max(from, first)), 0);
    const said = [];
    const missing = within(data.missing);
    if (missing) said.push(`${missing} missing ${missing === 1 ? "hour" : "hours"}`);
    const excuses = new Set();
    for (let place = first; place < last; place += 1) if (word("excuse", place) !== null) excuses.add(word("excuse", place));
    for (const excuse of excuses) said.push(`Excused hours: ${excuse}`);
    return said;
  }
  function element(name, ...children) {
    const made = document.createElement(name);
    made.append(...children);  // text stays text, whoever wrote it
    return made;
  }
  function tell(chart, hour, event) {
    const hourly = chart.grain === "hour";
    const place = hourly ? Math.floor(hour) : Math.floor((data.begin + hour * HOUR - data.firstDay) / DAY);
    const time = hourly ? `${minute(data.begin + place * HOUR)} UTC` : `${minute(data.firstDay + place * DAY).slice(0, 10)} UTC`;
    tip.replaceChildren(
      element("b", time),
      ...lines(chart, place).map(([label, value]) => element("div", element("span", label), element("span", value))),
      ...remarks(chart, place).map((text) => element("p", text)),
    );
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const left = event.clientX + 16 + width < innerWidth ? event.clientX + 16 : event.clientX - 16 - width;
    const top = Math.max(4, Math.min(innerHeight - height - 4, event.clientY + 14));
    tip.style.transform = `translate(${Math.max(4, left)}px, ${top}px)`;
  }
  function hairs(hour) {
    for (const chart of charts) {
      if (!chart.view) continue;
      chart.hair ??= chart.figure.querySelector(".plot").appendChild(Object.assign(element("div"), { className: "hair" }));
      const shown = hour !== null && seen.has(chart) && !chart.dirty;
      chart.hair.hidden = !shown;
      if (!shown) continue;
      const top = chart.view.origin()[1] + chart.view.padding().top;
      Object.assign(chart.hair.style, { left: `${xOf(chart, hour)}px`, top: `${top}px`, height: `${chart.view.height()}px` });
    }
  }
  function brush(chart, pressed) {
    const plot = chart.figure.querySelector(".plot");
    const start = hourAt(chart, pressed);
    const mark = plot.appendChild(Object.assign(element("div"), { className: "brush" }));
    const move = (event) => {
      const ends = [start, hourAt(chart, event)].map((hour) => xOf(chart, hour)).sort((one, other) => one - other);
      const top = chart.view.origin()[1] + chart.view.padding().top;
      Object.assign(mark.style, { left: `${ends[0]}px`, width: `${ends[1] - ends[0]}px`, top: `${top}px`, height: `${chart.view.height()}px` });
    };
    follow(plot, pressed, move, (ended) => {
      mark.remove();
      if (ended.type !== "pointerup" || Math.abs(ended.clientX - pressed.clientX) < 6) return;
      const ends = [start, hourAt(chart, ended)].sort((one, other) => one - other);
      setRange(Math.floor(ends[0]), Math.ceil(ends[1]));
    });
  }
  for (const chart of charts) {
    const plot = chart.figure.querySelector(".plot");
    plot.addEventListener("pointermove", (event) => {
      if (!chart.view) return;
      const hour = hourAt(chart, event);
      hairs(hour);
      tell(chart, hour, event);
    });
    plot.addEventListener("pointerleave", () => { tip.hidden = true; hairs(null); });
    plot.addEventListener("pointerdown", (event) => {
      if (chart.view && event.button === 0 && event.pointerType !== "touch") brush(chart, event);
    });
    plot.addEventListener("dblclick", () => setRange(0, count));
    observer.observe(chart.figure);
  }

  control.hidden = false;
  addEventListener("resize", () => { paintStrip(); soil(); });
  addEventListener("beforeprint", () => { for (const chart of charts) draw(chart); });
  paintStrip();
  setRange(0, count);
})();
