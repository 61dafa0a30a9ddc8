// Intervals: a row per item, a dot and whisker per series, the numbers as text at the right.

function drawIntervals(spec, width) {
  const rows = spec.rows || [];
  const series = spec.series?.length ? spec.series : [{ name: "", colour: FIRST }];
  const layout = layIntervals(rows, spec.beside || rows, width);
  const { left, right, heights } = layout;
  const place = scaleOf(spec.axis, left + 8, right - 8);
  const ends = [];
  const upright = uprights(spec.reference, place, { bottom: () => ends[1], edge: width });
  const top = upright.height;
  const bottom = top + heights.reduce((sum, h) => sum + h, 0) + 4;
  ends.push(top, bottom);
  const axis = axisBelow(spec.axis || {}, place, { top, bottom, left, right, edge: width });
  const nodes = [...axis.nodes];
  if (place.inside(0)) nodes.push(line(place(0), top, place(0), bottom, LINE, 1.4, { class: "zero" }));
  nodes.push(...upright.draw(top));
  const hits = [];
  let y = top + 2;
  rows.forEach((row, i) => {
    if (i && series.length > 1) nodes.push(line(0, y, width, y, "#f0f0f0"));
    nodes.push(...drawRow({ row, block: layout.blocks[i], series, place, y, height: heights[i], layout, width }));
    hits.push({ x: 0, y, width, height: heights[i], text: row.tip || sayRow(row, series), row: i });
    y += heights[i];
  });
  const names = series.map((s) => s.name || spec.axis?.label || "");
  const facts = [["", ...names], ...rows.map((row) => [row.label, ...series.map((_, k) => sayMark(markOf(row, k, series)))])];
  return { nodes, hits, facts, height: bottom + axis.height };
}

/** Columns as wide as all rows need that stand in one picture (`company`), heights as these rows need. */
function layIntervals(rows, company, width) {
  const narrow = width < 460;
  const marks = company.flatMap((row) => row.marks || []);
  const numbers = Math.min(width * 0.36, Math.ceil(widest(marks.map((m) => m?.text ?? m?.hidden), 12) / 6) * 6);
  const wanted = widest(company.map((row) => row.label), 13) + 2;
  const labels = narrow ? 0 : Math.min(wanted, Math.max(120, Math.min(300, width * 0.32)));
  const blocks = rows.map((row) => wrap(row.label, narrow ? width : labels, 13));
  const heights = rows.map((row, i) => {
    const slots = Math.max(1, (row.marks || []).length) * 16;
    const named = blocks[i].lines.length * 17;
    return narrow ? named + slots + 8 : Math.max(named, slots) + 9;
  });
  const left = narrow ? 0 : labels + 14;
  return { narrow, left, right: Math.max(left + 60, width - (numbers ? numbers + 12 : 0)), numbers, blocks, heights };
}

function seriesOf(mark, order, series) {
  const found = typeof mark.series === "number" ? mark.series : series.findIndex((s) => s.name === mark.series);
  return found >= 0 && found < series.length ? found : order % series.length;
}

function markOf(row, k, series) {
  return (row.marks || []).find((mark, i) => mark && seriesOf(mark, i, series) === k);
}

function sayMark(mark) {
  return mark ? String(mark.text ?? mark.hidden ?? "") : "";
}

function sayRow(row, series) {
  const said = (row.marks || []).map((mark, i) => {
    const name = mark ? series[seriesOf(mark, i, series)].name : "";
    return series.length > 1 && name ? `${name}${colon}${sayMark(mark)}` : sayMark(mark);
  });
  return [row.label, ...said.filter(Boolean)].join("\n");
}

function drawRow({ row, block, series, place, y, height, layout, width }) {
  const nodes = [];
  const named = block.lines.length * 17;
  const marks = row.marks || [];
  const first = layout.narrow ? y + named + 4 : y + (height - marks.length * 16) / 2;
  const baseline = layout.narrow ? y + 16 : y + (height - named) / 2 + 13;
  nodes.push(...lines(block, 0, baseline, { size: 13, step: 17, halo: layout.narrow }));
  if (row.limit !== null && row.limit !== undefined && place.inside(row.limit)) {
    const [from, to] = [first + 1, first + Math.max(1, marks.length) * 16 - 1];
    nodes.push(line(place(row.limit), from, place(row.limit), to, LINE, 1.4, { class: "limit", "data-limit": row.limit }));
  }
  marks.forEach((m, i) => {
    if (!m) return;
    const middle = first + i * 16 + 8;
    const order = seriesOf(m, i, series);
    const shown = m.value !== null && m.value !== undefined && m.hidden === undefined;
    if (shown) nodes.push(whisker(m, row, { order, series: series[order], place, y: middle }));
    const content = wrap(shown ? m.text : m.hidden, layout.numbers, 12, { most: 1 });
    const colour = shown && !m.faded ? INK : SOFT;
    nodes.push(...lines(content, width, middle + 4.3, { size: 12, anchor: "end", colour }));
  });
  return nodes;
}

/** Dot and whisker; what lies beyond the axis ends in an arrowhead at its edge. */
function whisker(m, row, { order, series, place, y }) {
  const colour = series.colour || FIRST;
  const parts = [];
  if (Number.isFinite(m.low) && Number.isFinite(m.high)) {
    const [from, to] = [place.held(m.low), place.held(m.high)];
    const look = { "stroke-linecap": "round", opacity: m.faded ? 0.6 : 1 };
    parts.push(line(from, y, to, y, colour, m.faded ? 1.6 : 2.2, look));
    if (m.low < place.low) parts.push(el("path", { d: `M${px(from - 5)},${px(y)}l6,-3.5v7Z`, fill: colour }));
    if (m.high > place.high) parts.push(el("path", { d: `M${px(to + 5)},${px(y)}l-6,-3.5v7Z`, fill: colour }));
  }
  if (place.inside(m.value)) parts.push(dot(place(m.value), y, order, colour, { faded: m.faded }));
  const numbers = { label: row.label, series: series.name, value: m.value, low: m.low, high: m.high };
  const named = series.name ? `${row.label} · ${series.name}` : row.label;
  return mark(numbers, `${named}${colon}${m.text ?? ""}`, ...parts);
}
