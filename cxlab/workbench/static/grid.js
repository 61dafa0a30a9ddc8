// Grid: a table drawn as a picture, with shades, column letters and headings.

function drawGrid(spec, width) {
  const columns = spec.columns || [];
  const rows = spec.rows || [];
  const layout = layGrid(columns, rows, width);
  const nodes = [];
  const hits = [];
  const head = Math.max(1, ...layout.heads.map((h) => h.lines.length)) * 15;
  const subs = columns.some((c) => c.sub) ? 15 : 0;
  columns.forEach((column, k) => {
    const x = layout.middle(k);
    const y = 12 + head - layout.heads[k].lines.length * 15;
    nodes.push(...lines(layout.heads[k], x, y, { size: 12, step: 15, weight: 600, anchor: "middle" }));
    if (column.sub) nodes.push(...lines(wrap(column.sub, layout.cell - 6, 11, { most: 1 }), x, head + 12, { size: 11, colour: SOFT, anchor: "middle" }));
  });
  let y = head + subs + 5;
  nodes.push(line(0, y, layout.width, y, LINE, 1.2));
  rows.forEach((row, i) => {
    const block = layout.blocks[i];
    const height = Math.max(26, block.lines.length * 16 + 10) + (row.heading ? 8 : 0);
    nodes.push(...drawCells(row, columns, { y, height, layout }));
    const first = y + (height + (row.heading ? 8 : 0) - block.lines.length * 16) / 2 + 12.3;
    nodes.push(...lines(block, 0, first, { size: 12.5, step: 16, weight: row.heading ? 600 : undefined }));
    nodes.push(line(0, y + height, layout.width, y + height, GRID));
    if (!row.heading) hits.push({ x: 0, y, width: layout.width, height, text: row.tip || sayCells(row, columns), row: i });
    y += height;
  });
  const facts = [["", ...columns.map((c) => [c.label, c.sub].filter(Boolean).join(" "))], ...rows.map((row) => [row.label, ...columns.map((_, k) => sayCell(row.cells?.[k]))])];
  return { nodes, hits, facts, height: y + 2, width: layout.width };
}

/** Columns as wide as their content asks; a table wider than the page is scrolled, never shrunk. */
function layGrid(columns, rows, width) {
  const count = Math.max(1, columns.length);
  const cells = rows.flatMap((row) => row.cells || []).filter(Boolean);
  const numbers = widest(cells.map((c) => c.text).filter(numeric), 12.5);
  const said = Math.min(110, widest(cells.map((c) => c.text), 12.5));
  const letters = widest(cells.map((c) => c.letters), 10.5);
  const words = widest(columns.flatMap((c) => pieces(c.label || "").map((w) => w.trimEnd())), 12, 600);
  const least = Math.max(44, said + 10, numbers + (letters ? letters + 4 : 0) + 12, Math.min(110, words) + 8);
  const named = widest(rows.map((r) => r.label), 12.5, 600) + 8;
  const labels = Math.min(named, Math.max(110, Math.min(width * 0.34, 320, Math.max(width - count * least, 110))));
  const cell = Math.min(150, Math.max(least, (width - labels - 6) / count));
  return {
    cell, numbers, letters, labels, width: Math.max(labels + 6 + cell * count, Math.min(width, named)),
    middle: (k) => labels + 6 + cell * (k + 0.5),
    heads: columns.map((c) => wrap(c.label, cell - 6, 12, { weight: 600, most: 3 })),
    blocks: rows.map((r) => wrap(r.label, r.heading ? labels + cell * count - 8 : labels - 4, 12.5, { weight: r.heading ? 600 : 400 })),
  };
}

function drawCells(row, columns, { y, height, layout }) {
  return (row.cells || []).slice(0, columns.length).flatMap((cell, k) => {
    if (!cell || (cell.text ?? "") === "") return [];
    const middle = layout.middle(k);
    const parts = [];
    if (cell.shade) {
      const colour = blend(cell.shade > 0 ? "#0072B2" : "#D55E00", 0.32 * Math.min(1, Math.abs(cell.shade)));
      parts.push(el("rect", { x: px(middle - layout.cell / 2 + 1), y: y + 1, width: px(layout.cell - 2), height: height - 2, fill: colour }));
    }
    // Numbers stand below each other with their letters after them; words stand in the middle.
    const block = wrap(cell.text, layout.cell - 8, 12.5, { most: 1 });
    const end = middle + (layout.numbers - (layout.letters ? layout.letters + 4 : 0)) / 2;
    const [at, anchor] = numeric(cell.text) ? [end, "end"] : [middle, "middle"];
    const baseline = y + height / 2 + 4.4;
    parts.push(...lines(block, at, baseline, { size: 12.5, anchor, colour: cell.faded ? SOFT : INK }));
    if (cell.letters) parts.push(text(cell.letters, end + 4, baseline - 3, { size: 10.5, weight: 600, colour: INK }));
    const numbers = { label: row.label, column: columns[k].label, value: cell.value, low: cell.low, high: cell.high };
    return [mark(numbers, cell.tip || `${row.label} · ${columns[k].label}${colon}${sayCell(cell)}`, ...parts)];
  });
}

function numeric(content) {
  return /^[<>≈+−-]?\s*[\d.]/.test(content ?? "");
}

function sayCell(cell) {
  return cell ? [cell.text, cell.letters].filter(Boolean).join(" ") : "";
}

function sayCells(row, columns) {
  return [row.label, ...columns.map((c, k) => (sayCell(row.cells?.[k]) ? `${c.label}${colon}${sayCell(row.cells[k])}` : "")).filter(Boolean)].join("\n");
}
