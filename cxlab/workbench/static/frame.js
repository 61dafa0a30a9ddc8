// What stands around every picture: finding, subtitle, legend, note.

function drawHead(spec, width) {
  const nodes = [];
  let y = 0;
  const put = (content, size, most, options) => {
    if (!content) return;
    const step = Math.round(size * 1.36);
    const block = wrap(content, width, size, { weight: options.weight, most });
    nodes.push(...lines(block, 0, y + size, { size, step, ...options }));
    y += step * block.lines.length + 3;
  };
  put(spec.title, 16, 3, { weight: 600 });
  put(spec.subtitle, 12.5, 3, { colour: SOFT });
  const legend = drawLegend(spec, width);
  if (legend.height) {
    nodes.push(el("g", { transform: `translate(0,${y + 5})` }, ...legend.nodes));
    y += legend.height + 5;
  }
  return { nodes, height: y ? y + 9 : 0 };
}

function drawLegend(spec, width) {
  const entries = (spec.series || []).filter((series) => series.name);
  if (entries.length < 2) return { nodes: [], height: 0 };
  const nodes = [];
  let [x, y] = [0, 0];
  entries.forEach((series, order) => {
    const block = wrap(series.name, Math.min(260, width - 30), 12, { most: 1 });
    const wide = 26 + widest(block.lines, 12) + 18;
    if (x > 0 && x + wide - 18 > width) [x, y] = [0, y + 19];
    const colour = series.colour || FIRST;
    const dash = spec.kind === "curve" && !series.dots ? DASHES[order % DASHES.length] : "";
    if (series.line !== false && spec.kind !== "map") nodes.push(line(x, y + 9, x + 20, y + 9, colour, 2, { "stroke-dasharray": dash }));
    if (spec.kind !== "curve" || series.dots) nodes.push(dot(x + 10, y + 9, spec.kind === "map" ? 0 : order, colour, { faded: series.faded }));
    nodes.push(...lines(block, x + 26, y + 13.5, { size: 12 }));
    x += wide;
  });
  return { nodes, height: y + 19 };
}

function drawNote(spec, width) {
  if (!spec.note) return { nodes: [], height: 0 };
  const block = wrap(spec.note, width, 11, { most: 8 });
  return { nodes: lines(block, 0, 21, { size: 11, step: 15, colour: SOFT }), height: 15 * block.lines.length + 12 };
}
