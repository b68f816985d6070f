// The figures of an experiment: lines, bars, tiles or a map. Each has its numbers in words for people who hear the page.
const signed = (value) => (finite(value) ? tickLabel(value, 2, 1e-3).replace('-', '−') : '');
const strokeOf = (kind) => (kind === 'neutral' ? 'currentColor' : colourOf(kind));
const rangeOf = (values) => { const low = Math.min(...values), high = Math.max(...values), pad = (high - low || 1) * 0.06; return [low - pad, high + pad]; };

function areaOf(svg, panel) {
  clearSvg(svg);
  const box = svg.viewBox.baseVal, area = { left: 44, right: box.width - 12, top: 10, bottom: box.height - 40 };
  const [low, high] = panel.limits || rangeOf(panel.lines.flatMap((line) => line.points.map((p) => p[1])));
  const y = (v) => area.bottom - ((Math.min(Math.max(v, low), high) - low) / (high - low)) * (area.bottom - area.top);
  if (panel.band) makeSvg(svg, 'rect', { class: 'noise', x: area.left, width: area.right - area.left, y: y(panel.band), height: y(-panel.band) - y(panel.band) });
  for (const v of ticks(low, high, 5)) {
    makeSvg(svg, 'line', { class: v === 0 && low < 0 ? 'zero' : 'grid', x1: area.left, x2: area.right, y1: y(v), y2: y(v) });
    makeSvg(svg, 'text', { x: area.left - 6, y: y(v) + 4, 'text-anchor': 'end' }, signed(v));
  }
  makeSvg(svg, 'text', { x: area.right, y: box.height - 4, 'text-anchor': 'end' }, panel.x);
  return { ...area, low, high, y };
}

function levels(svg, panel, area) {
  for (const [value] of panel.levels) makeSvg(svg, 'line', { class: 'level', x1: area.left, x2: area.right, y1: area.y(value), y2: area.y(value) });
}

function drawLines(svg, panel) {
  const area = areaOf(svg, panel), all = panel.lines.flatMap((line) => line.points.map((p) => p[0])), xs = [Math.min(...all), Math.max(...all)];
  const x = (v) => area.left + ((v - xs[0]) / (xs[1] - xs[0] || 1)) * (area.right - area.left);
  const fractions = xs[1] <= 1 && xs[1] > xs[0];
  const places = fractions ? ticks(xs[0], xs[1], 4) : ticks(xs[0], xs[1], Math.min(6, (area.right - area.left) / 50));
  for (const v of places) makeSvg(svg, 'text', { x: x(v), y: area.bottom + 17, 'text-anchor': x(v) > area.right - 10 ? 'end' : 'middle' }, signed(v));
  for (const line of panel.lines) {
    const dense = line.points.length > 100, width = line.kind === 'neutral' ? 1 : dense ? 1.3 : 2.6;
    makeSvg(svg, 'path', { fill: 'none', stroke: strokeOf(line.kind), 'stroke-width': width, 'stroke-linejoin': 'round', 'stroke-dasharray': line.kind === 'plain' ? (dense ? '6 1.5' : '7 4') : 'none', d: line.points.map(([a, b], i) => `${i ? 'L' : 'M'}${x(a).toFixed(1)},${area.y(b).toFixed(1)}`).join('') });
    if (line.marks) for (const [a, b] of line.points.filter((p) => p[1] <= area.high)) {
      const [px, py] = [x(a), area.y(b)], d = line.kind === 'plain' ? `M${px - 4},${py - 4}h8v8h-8z` : `M${px - 4.5},${py}a4.5,4.5 0 1 0 9,0a4.5,4.5 0 1 0 -9,0z`;
      makeSvg(makeSvg(svg, 'path', { d, fill: 'var(--block-background-fill)', stroke: strokeOf(line.kind), 'stroke-width': 2 }), 'title', {}, `${line.name}: ${signed(b)} at ${a}`);
    }
  }
  levels(svg, panel, area);
}

function drawBars(svg, panel) {
  const area = areaOf(svg, panel), count = panel.labels.length, step = (area.right - area.left) / count, wide = Math.max(step * 0.8 / panel.lines.length, 1.5);
  panel.lines.forEach((line, n) => line.points.forEach(([a, b]) => {
    const left = area.left + a * step + step * 0.1 + n * wide, top = area.y(Math.max(b, 0)), zero = area.y(0);
    const bar = makeSvg(svg, 'rect', { x: left, width: wide - (wide > 5 ? 1 : 0), y: Math.min(top, zero - 1), height: Math.max(zero - top, 1), fill: strokeOf(line.kind), 'fill-opacity': line.kind === 'plain' ? 0.75 : 1, stroke: strokeOf(line.kind), 'stroke-dasharray': line.kind === 'plain' ? '4 2' : 'none' });
    makeSvg(bar, 'title', {}, `${line.name}, ${panel.labels[a]}: ${signed(b)}`);
    if (wide > 26) makeSvg(svg, 'text', { x: left + wide / 2, y: Math.min(top, zero) - 4, 'text-anchor': 'middle' }, Math.round(b));
  }));
  const every = Math.ceil(58 / step);
  panel.labels.forEach((label, i) => { if (i % every === 0) makeSvg(svg, 'text', { x: area.left + (i + 0.5) * step, y: area.bottom + 17, 'text-anchor': 'middle' }, label); });
  levels(svg, panel, area);
}

function describe(panel) {
  if (panel.form === 'map') return `${panel.title}: a map of the loss, ${Math.min(...panel.heights)} to ${Math.max(...panel.heights)}.`;
  const value = (line, [a, b]) => `${signed(b)} at ${panel.labels.length ? panel.labels[a] : signed(a)}`;
  return `${panel.title}. ${panel.lines.map((line) => `${line.name}: ${(line.points.length > 60 ? [line.points[0], line.points.at(-1)] : line.points).map((p) => value(line, p)).join(', ')}`).join('. ')}.`;
}

function legend(line) {
  const item = make('span', { class: 'legend' }), svg = makeSvg(item, 'svg', { viewBox: '0 0 30 10', 'aria-hidden': 'true' });
  makeSvg(svg, 'path', { d: 'M0,5H30', stroke: strokeOf(line.kind), 'stroke-width': line.kind === 'neutral' ? 1 : 3, 'stroke-dasharray': dashesOf(line.kind) });
  item.append(line.name);
  return item;
}

function levelLegend(panel) {
  const item = make('span', { class: 'legend' }), svg = makeSvg(item, 'svg', { viewBox: '0 0 30 10', 'aria-hidden': 'true' });
  makeSvg(svg, 'line', { class: 'level', x1: 0, x2: 30, y1: 5, y2: 5 });
  item.append(panel.levels.map(([value, label]) => `${label} ${+value.toFixed(1)}`).join(', '));
  return item;
}

function figure(panel) {
  const many = [...(panel.lines.length > 1 ? panel.lines.map(legend) : []), ...(panel.levels.length ? [levelLegend(panel)] : []), ...(panel.form === 'map' ? [viewButtons()] : [])];
  const node = make('figure', { class: panel.wide || panel.form === 'tiles' ? 'wide' : panel.form === 'map' ? 'map' : null }, make('figcaption', {}, make('span', {}, panel.title, ...(panel.y && panel.form !== 'map' ? [make('span', { class: 'unit' }, `: ${panel.y}`)] : [])), ...many));
  if (panel.form === 'tiles') {
    node.append(make('div', { class: 'tiles' }, ...panel.tiles.map((tile) => make('div', { class: 'tile' }, make('img', { src: tile.src, alt: tile.title }), make('p', {}, tile.title, make('small', {}, tile.note))))));
    return node;
  }
  const svg = makeSvg(node, 'svg', { class: 'plot', role: 'img', 'aria-label': describe(panel) });
  if (panel.form === 'map') makeTurnable(svg);
  return node;
}

function drawPanels(panels) {
  const figures = panels.filter((panel) => panel.form !== 'tiles');
  element.querySelectorAll('svg.plot').forEach((svg, i) => ({ bars: drawBars, map: drawMap }[figures[i].form] || drawLines)(svg, figures[i]));
}

function numbersTable(panels) {
  const rows = panels.flatMap((panel) => [...panel.lines.flatMap((line) => line.points.filter((_, i) => i % Math.ceil(line.points.length / 64) === 0).map(([a, b]) => [panel.title, line.name, panel.labels.length ? panel.labels[a] : signed(a), tickLabel(b, 4, 1e-4)])), ...panel.heights.map((height, i) => [panel.title, `second direction ${panel.axis[Math.floor(i / panel.axis.length)]}`, signed(panel.axis[i % panel.axis.length]), tickLabel(height, 4, 1e-4)]), ...panel.tiles.map((tile, i) => [panel.title, tile.title, i + 1, tile.note])]);
  return make('table', {}, make('thead', {}, make('tr', {}, ...['figure', 'line', 'x', 'y'].map((text) => make('th', { scope: 'col' }, text)))), make('tbody', {}, ...rows.map((row) => make('tr', {}, ...row.map((text) => make('td', {}, text))))));
}
