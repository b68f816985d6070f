// Draws panels of lines from values that never change: {label, caption, panels: [{title, x, y, from_zero, series}]}, where
// a line is {name, kind, depth, thin, points}. Plain networks are dashed vermillion with squares, residual ones blue with
// circles; deeper networks are drawn darker, and each line that is not thin has its depth at its end.
const fewest = 30;   // points up to which each has a mark

function styleOf(line, depths) {
  const place = depths.length > 1 ? depths.indexOf(line.depth) / (depths.length - 1) : 1;
  return { stroke: colourOf(line.kind), 'stroke-opacity': 0.45 + 0.55 * place, 'stroke-width': line.thin ? 1.2 : 2.6, 'stroke-dasharray': dashesOf(line.kind), fill: 'none' };
}

const depthsOf = (panel) => [...new Set(panel.series.map((line) => line.depth))].sort((a, b) => a - b);

function mark(svg, line, style, x, y) {
  const d = line.kind === 'plain' ? `M${x - 4},${y - 4}h8v8h-8z` : `M${x - 4},${y}a4,4 0 1 0 8,0a4,4 0 1 0 -8,0z`;
  makeSvg(svg, 'path', { ...style, d, fill: 'var(--body-background-fill)', 'stroke-width': 1.8, 'stroke-dasharray': 'none' });
}

function drawPanel(svg, panel) {
  clearSvg(svg);
  const places = panel.series.flatMap((line) => line.points.map((p) => p[0])), xs = [Math.min(1, ...places), Math.max(...places)];
  const values = props.value.panels.flatMap((one) => one.series.flatMap((line) => line.points.map((p) => p[1])));   // one scale for all panels
  const s = scales(svg, xs, [...values, ...(panel.from_zero ? [0] : [])], false), depths = depthsOf(panel);
  axes(svg, s, xs, panel.x, tickLabel);
  const ends = [];
  for (const line of [...panel.series].sort((a, b) => b.thin - a.thin)) {
    const style = styleOf(line, depths);
    makeSvg(svg, 'path', { ...style, d: line.points.map(([x, y], i) => `${i ? 'L' : 'M'}${s.x(x).toFixed(1)},${s.y(y).toFixed(1)}`).join('') });
    if (line.thin) continue;
    if (line.points.length <= fewest) line.points.forEach(([x, y]) => mark(svg, line, style, s.x(x), s.y(y)));
    const [x, y] = line.points[line.points.length - 1];
    ends.push({ x: s.x(x) + 6, y: s.y(y) + 5, depth: line.depth });
  }
  ends.sort((a, b) => a.y - b.y).forEach((end, i) => { if (i && end.y < ends[i - 1].y + 14) end.y = ends[i - 1].y + 14; });   // none over another
  ends.forEach((end) => makeSvg(svg, 'text', { class: 'end', x: end.x, y: end.y }, end.depth));
}

function describe(panel) {
  const lines = panel.series.map((line) => {
    const [first, last] = [line.points[0], line.points[line.points.length - 1]];
    return `${line.name}: ${panel.y} ${first[1]} at ${panel.x} ${first[0].toLocaleString('en')}, ${last[1]} at ${last[0].toLocaleString('en')}`;
  });
  return `${panel.title}. ${lines.join('. ') || 'Nothing was recorded.'}.`;
}

function legend(panel) {
  const depths = depthsOf(panel);
  return make('div', { class: 'legend' }, ...panel.series.map((line) => {
    const item = make('span'), svg = makeSvg(item, 'svg', { viewBox: '0 0 34 10', 'aria-hidden': 'true' });
    makeSvg(svg, 'path', { d: 'M0,5H34', ...styleOf(line, depths) });
    item.append(line.name);
    return item;
  }));
}

function table() {
  if (!find('details').open) return;
  const rows = props.value.panels.flatMap((panel) => panel.series.flatMap((line) => {
    const every = Math.ceil(line.points.length / 60);
    return line.points.filter((_, i) => i % every === 0 || i === line.points.length - 1).map(([x, y]) => [`${line.name}, ${panel.title}`, x.toLocaleString('en'), y]);
  }));
  const head = ['line', props.value.panels.map((panel) => panel.x).filter((x, i, all) => all.indexOf(x) === i).join(' or '), props.value.panels[0].y];
  find('.table').replaceChildren(make('table', {}, make('caption', {}, props.value.label), make('thead', {}, make('tr', {}, ...head.map((text) => make('th', { scope: 'col' }, text)))),
    make('tbody', {}, ...rows.map(([name, ...rest]) => make('tr', {}, make('th', { scope: 'row' }, name), ...rest.map((text) => make('td', {}, text)))))));
}

function draw() { element.querySelectorAll('svg.plot').forEach((svg, i) => { if (props.value.panels[i].series.length) drawPanel(svg, props.value.panels[i]); }); }

function show() {
  if (!props.value?.panels) return;
  find('.panels').replaceChildren(...props.value.panels.map((panel) => {
    const figure = make('figure', {}, make('figcaption', {}, `${panel.title}: ${panel.y}`), legend(panel));
    makeSvg(figure, 'svg', { class: 'plot', role: 'img', 'aria-label': describe(panel) });
    return figure;
  }));
  find('.caption').textContent = props.value.caption;
  table(); draw();
}

find('details').addEventListener('toggle', table);
let width = 0;
new ResizeObserver(() => { const now = find('.panels').clientWidth; if (now !== width) { width = now; draw(); } }).observe(find('.panels'));
watch('value', show);
show();
