// Paths: constructs in columns from left to right, and the arrows between them.

function drawPaths(spec, width, wanted) {
  const layout = layPaths(spec, width);
  const { boxes } = layout;
  const byId = new Map(boxes.map((box) => [box.id, box]));
  const edges = (spec.edges || []).filter((e) => byId.has(e.source) && byId.has(e.target))
    .map((e) => ({ ...e, from: byId.get(e.source), to: byId.get(e.target) }));
  attach(edges);
  for (const edge of edges) edge.curve = route(edge, boxes);
  const height = trim(boxes, edges, wanted);
  const places = new Places(0, 0, layout.width, height);
  for (const box of boxes) places.take(box.x - 2, box.y - 2, box.width + 4, box.height + 4);
  const most = Math.max(0.01, ...edges.map((e) => Math.abs(e.value ?? 0)));
  const arrows = edges.map((edge) => drawArrow(edge, most));
  const labels = [...edges].sort((a, b) => Math.abs(b.value ?? 0) - Math.abs(a.value ?? 0)).map((edge) => labelEdge(edge, places, layout.brief));
  const hits = boxes.map((box, i) => ({ x: box.x, y: box.y, width: box.width, height: box.height, row: i,
    text: [`${box.label} ${box.text || ""}`.trim(), ...edges.filter((e) => e.to === box).map((e) => sayEdge(e))].join("\n") }));
  const facts = [["", ""], ...boxes.map((b) => [b.label, b.text || ""]), ...edges.map((e) => [`${e.from.label} → ${e.to.label}`, e.text || ""])];
  return { nodes: [...arrows, ...boxes.map(drawBox), ...labels], hits, facts, height, width: layout.width };
}

function sayEdge(edge) {
  return `${edge.from.label} → ${edge.to.label}${colon}${edge.text || ""}`;
}

function layPaths(spec, width) {
  const nodes = spec.nodes || [];
  const columns = [...new Set(nodes.map((n) => n.column ?? 0))].sort((a, b) => a - b);
  const rows = [...new Set(nodes.map((n) => n.row ?? 0))].sort((a, b) => a - b);
  const words = widest(nodes.flatMap((n) => [...pieces(n.label || ""), n.text]).map((w) => (w || "").trimEnd()), 13, 600) + 18;
  const least = Math.max(72, Math.min(130, words));
  const named = Math.max(least, Math.min(150, width * 0.14), Math.min(170, widest(nodes.map((n) => n.label), 13, 600) + 24));
  const gaps = Math.max(1, columns.length - 1);
  const gapFor = (brief) => Math.max(46, widest((spec.edges || []).flatMap((e) => edgeLines(e.text, brief)), 11.5, brief ? 600 : 400) + 24);
  // On a narrow page the intervals leave the arrows and stay in the tips, before anything leaves the page.
  const brief = columns.length * least + gaps * gapFor(false) > width - 2;
  const gapLeast = gapFor(brief);
  const spare = (width - columns.length * named) / gaps;
  const boxWidth = spare < gapLeast ? Math.max(least, Math.min(named, (width - 2 - gaps * gapLeast) / Math.max(1, columns.length))) : named;
  const gap = Math.max(gapLeast, Math.min(260, (width - 2 - columns.length * boxWidth) / gaps));
  const blocks = nodes.map((n) => wrap(n.label, boxWidth - 16, 13, { weight: 600, most: 3 }));
  const heights = blocks.map((b, i) => b.lines.length * 17 + (nodes[i].text ? 17 : 0) + 16);
  const most = Math.max(50, ...heights);
  const [low, high] = [rows[0] ?? 0, rows[rows.length - 1] ?? 0];
  const steps = rows.slice(1).map((r, i) => r - rows[i]);
  const pitch = (most + 46) / Math.min(1, ...steps);
  const boxes = nodes.map((n, i) => ({
    ...n, block: blocks[i], width: boxWidth, height: heights[i],
    x: columns.indexOf(n.column ?? 0) * (boxWidth + gap) + 1,
    y: ((n.row ?? 0) - low) * pitch - heights[i] / 2,
  }));
  return { boxes, brief, width: Math.max(boxWidth * columns.length + gap * (columns.length - 1) + 2, 120) };
}

function edgeLines(content, brief = false) {
  return String(content ?? "").replace(/\s*(?=[[(（［])/, "\n").split("\n").slice(0, brief ? 1 : 3);
}

/** Arrows that meet at one side of a box are spread along it, in the order of where they come from. */
function attach(edges) {
  const sides = new Map();
  const join = (box, side, edge, end, other) => {
    const key = `${box.id}|${side}`;
    if (!sides.has(key)) sides.set(key, []);
    const across = Math.abs(other.x - box.x);
    sides.get(key).push({ box, side, edge, end, towards: Math.atan2(other.y + other.height / 2 - box.y - box.height / 2, across) });
  };
  for (const edge of edges) {
    const level = edge.from.x === edge.to.x;
    const back = edge.from.x > edge.to.x;
    const down = edge.from.y < edge.to.y;
    join(edge.from, level ? (down ? "bottom" : "top") : back ? "left" : "right", edge, "start", edge.to);
    join(edge.to, level ? (down ? "top" : "bottom") : back ? "right" : "left", edge, "stop", edge.from);
  }
  for (const ends of sides.values()) {
    ends.sort((a, b) => a.towards - b.towards);
    ends.forEach((e, i) => {
      const share = (i + 1) / (ends.length + 1);
      const { box, side } = e;
      const upright = side === "left" || side === "right";
      e.edge[e.end] = upright
        ? [side === "left" ? box.x : box.x + box.width, box.y + box.height * share, side === "left" ? -1 : 1, 0]
        : [box.x + box.width * share, side === "top" ? box.y : box.y + box.height, 0, side === "top" ? -1 : 1];
    });
  }
}

function bezier([a, b, c, d], t) {
  const u = 1 - t;
  return [0, 1].map((k) => u * u * u * a[k] + 3 * u * u * t * b[k] + 3 * u * t * t * c[k] + t * t * t * d[k]);
}

/** The straightest curve that runs through no other box. */
function route(edge, boxes) {
  const [x1, y1, dx1, dy1] = edge.start;
  const [x2, y2, dx2, dy2] = edge.stop;
  const stop = [x2 + dx2 * 2, y2 + dy2 * 2];
  const reach = Math.max(24, Math.hypot(x2 - x1, y2 - y1) * 0.36);
  const others = boxes.filter((b) => b !== edge.from && b !== edge.to);
  const tries = [0, 30, -30, 60, -60, 95, -95, 130, -130, 170, -170, 220, -220].map((bow) =>
    [[x1, y1], [x1 + dx1 * reach, y1 + dy1 * reach + bow * Math.abs(dx1)], [stop[0] + dx2 * reach, stop[1] + dy2 * reach + bow * Math.abs(dx2)], stop]);
  const clear = (curve) => [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9].every((t) => {
    const [x, y] = bezier(curve, t);
    return others.every((b) => x < b.x - 6 || x > b.x + b.width + 6 || y < b.y - 8 || y > b.y + b.height + 8);
  });
  return tries.find(clear) || tries[0];
}

/** Move everything so that nothing stands above the top; returns the height that it takes. */
function trim(boxes, edges, wanted) {
  const ys = [...boxes.flatMap((b) => [b.y, b.y + b.height]),
    ...edges.flatMap((e) => [0.2, 0.35, 0.5, 0.65, 0.8].map((t) => bezier(e.curve, t)[1]).flatMap((y) => [y - 12, y + 12]))];
  const [from, to] = [Math.min(...ys, 0), Math.max(...ys, 0)];
  const height = Math.max(wanted || 0, to - from + 16);
  const shift = (height - from - to) / 2;
  for (const box of boxes) box.y += shift;
  for (const edge of edges) edge.curve = edge.curve.map(([x, y]) => [x, y + shift]);
  return height;
}

function drawArrow(edge, most) {
  const negative = (edge.value ?? 0) < 0;
  const colour = negative ? "#D55E00" : FIRST;
  const [a, b, c, d] = edge.curve;
  const thick = 1.2 + 3.4 * (Math.abs(edge.value ?? 0) / most);
  const size = 6 + thick;
  const angle = Math.atan2(d[1] - c[1], d[0] - c[0]);
  const tail = [d[0] - Math.cos(angle) * size, d[1] - Math.sin(angle) * size];
  const point = (p) => `${px(p[0])},${px(p[1])}`;
  const wing = (turn) => [d[0] + Math.cos(angle + turn) * size * 1.12, d[1] + Math.sin(angle + turn) * size * 1.12];
  const numbers = { source: edge.source, target: edge.target, value: edge.value, low: edge.low, high: edge.high };
  const look = edge.faded ? { opacity: 0.38 } : {};
  return mark(numbers, sayEdge(edge),
    el("path", { d: `M${point(a)}C${point(b)} ${point(c)} ${point(tail)}`, fill: "none", stroke: colour, "stroke-width": px(thick),
      "stroke-dasharray": negative ? "6 4" : "", ...look }),
    el("path", { d: `M${point(d)}L${point(wing(Math.PI - 0.42))}L${point(wing(Math.PI + 0.42))}Z`, fill: colour, ...look }));
}

function labelEdge(edge, places, brief) {
  const content = edgeLines(edge.text, brief).filter(Boolean);
  if (!content.length) return null;
  const [wide, high] = [widest(content, 11.5, 600) + 6, content.length * 14 + 3];
  for (const shift of [0, 12, -12, 24, -24, 38, -38]) {
    for (const t of [0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73, 0.2, 0.8]) {
      const [x, y] = bezier(edge.curve, t);
      const [left, top] = [x - wide / 2, y - high / 2 + shift];
      if (!places.free(left, top, wide, high)) continue;
      places.take(left, top, wide, high);
      return el("g", {}, el("rect", { x: px(left), y: px(top), width: px(wide), height: high, rx: 3, fill: PAPER, opacity: 0.92 }),
        ...content.map((row, i) => text(row, x, top + 12.5 + i * 14, { size: 11.5, weight: i ? undefined : 600, anchor: "middle", colour: edge.faded || i ? SOFT : INK })));
    }
  }
  return null;
}

function drawBox(box) {
  const x = box.x + box.width / 2;
  return mark({ id: box.id, label: box.label }, `${box.label} ${box.text || ""}`.trim(),
    el("rect", { x: px(box.x), y: px(box.y), width: px(box.width), height: box.height, rx: 6, fill: "#f5f7f9", stroke: "#9aa5ae", "stroke-width": 1.2 }),
    ...lines(box.block, x, box.y + 20.5, { size: 13, step: 17, weight: 600, anchor: "middle" }),
    ...(box.text ? lines(wrap(box.text, box.width - 10, 12, { most: 1 }), x, box.y + 20.5 + box.block.lines.length * 17, { size: 12, colour: SOFT, anchor: "middle" }) : []));
}
