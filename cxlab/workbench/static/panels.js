// Panels: several pictures of intervals below each other, each with a heading and an axis of its own.

function drawPanels(spec, width) {
  const nodes = [];
  const hits = [];
  const facts = [];
  const beside = (spec.panels || []).flatMap((panel) => panel.rows || []); // so that all plots begin below each other
  let y = 0;
  (spec.panels || []).forEach((panel, k) => {
    const heading = wrap(panel.heading || "", width, 13.5, { weight: 600, most: 2 });
    if (k) y += 14;
    nodes.push(...lines(heading, 0, y + 14, { size: 13.5, step: 18, weight: 600 }));
    facts.push([panel.heading || ""]);
    y += 18 * heading.lines.length + 4;
    if (!(panel.rows || []).length) return;
    const body = drawIntervals({ ...panel, beside, kind: "intervals", lang: spec.lang }, width);
    nodes.push(el("g", { class: "panel", transform: `translate(0,${px(y)})` }, ...body.nodes));
    for (const hit of body.hits) hits.push({ ...hit, y: hit.y + y, row: hits.length });
    facts.push(...body.facts.slice(1).map((row) => row.filter((cell, i) => !i || cell)));
    y += body.height;
  });
  return { nodes, hits, facts, height: y };
}
