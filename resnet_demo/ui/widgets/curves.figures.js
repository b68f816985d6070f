// The figures of the curves and their legend, drawn from the state in curves.js: the runs, the current one, and the
// step under the pointer. Nothing here makes a request to the server.
const logarithmic = () => find('.log').checked;

function smoothed(points, key) {
  const keep = +find('.smooth').value;
  let mean = null, weight = 0;
  return points.filter((p) => finite(p[key])).map((p) => {
    weight = keep * weight + (1 - keep);
    mean = (mean === null ? 0 : mean) * keep + (1 - keep) * p[key];
    return { step: p.step, value: mean / weight };   // unbiased from the first point on
  });
}

// The arms of a run, seeds of one network together: each group has lines, their mean, and the band between them.
function groups(run, key, measured) {
  const byName = new Map();
  for (const arm of run.arms.values()) {
    const name = groupOf(arm.name);
    if (!byName.has(name)) byName.set(name, { name, kind: kindOf(name), lines: [], run });
    const points = measured ? arm.measured.filter((p) => finite(p[key])).map((p) => ({ step: p.step, value: p[key] })) : smoothed(arm.training, key);
    byName.get(name).lines.push({ points, diverged: arm.diverged });
  }
  for (const group of byName.values()) {
    const bySteps = new Map();
    group.lines.forEach(({ points }) => points.forEach((p) => {
      if (!bySteps.has(p.step)) bySteps.set(p.step, []);
      bySteps.get(p.step).push(p.value);
    }));
    group.mean = [...bySteps].sort((a, b) => a[0] - b[0]).map(([step, values]) => ({
      step, value: values.reduce((a, b) => a + b, 0) / values.length, low: Math.min(...values), high: Math.max(...values),
    }));
  }
  return [...byName.values()];
}

// At most 500 points of a line are drawn, evenly chosen, and always the last.
const thin = (points) => { const every = Math.ceil(points.length / 500); return points.filter((_, i) => i % every === 0 || i === points.length - 1); };
const path = (points, s, key) => thin(points).map((p, i) => `${i ? 'L' : 'M'}${s.x(p.step).toFixed(1)},${s.y(p[key || 'value']).toFixed(1)}`).join('');

function styleOf(group, index, main) {
  return { stroke: colourOf(group.kind), 'stroke-width': main ? 2.6 : 1.4, 'stroke-opacity': main ? 1 : 0.55, fill: 'none', 'stroke-dasharray': group.kind === 'residual' && index > 1 ? '12 3 2 3' : dashesOf(group.kind) };
}

function curves(svg, key, factor) {
  clearSvg(svg);
  const all = [...runs.values()].flatMap((run) => groups(run, key, false).map((g) => ({ ...g, main: run.id === current })));
  const tests = [...runs.values()].flatMap((run) => groups(run, key, true).map((g) => ({ ...g, main: run.id === current })));
  const points = [...all, ...tests].flatMap((g) => g.mean);
  const steps = Math.max(1, ...[...runs.values()].map((run) => (run.started && run.started.steps < 5000 ? run.started.steps : 0)), ...points.map((p) => p.step));
  const scale = (p) => ({ ...p, value: p.value * factor, low: p.low * factor, high: p.high * factor });
  const guess = guessing(key) * factor;
  const values = points.map((p) => p.value * factor).filter((v) => v < 4 * guess);
  if (!points.length) values.push(0.5 * guess);
  if (!logarithmic() || key === 'loss') values.push(guess);
  const xs = [0, steps], s = scales(svg, xs, values, logarithmic());
  axes(svg, s, xs, 'steps', tickLabel);
  makeSvg(svg, 'line', { class: 'guess', x1: s.area.left, x2: s.area.right, y1: s.y(guess), y2: s.y(guess) });
  makeSvg(svg, 'text', { x: s.area.right, y: s.y(guess) - 5, 'text-anchor': 'end' }, 'guessing');
  phases(svg, s);
  const clamp = (p) => ({ ...p, value: Math.min(p.value, s.high), low: Math.min(p.low, s.high), high: Math.min(p.high, s.high) });
  all.forEach((group, index) => {
    const mean = group.mean.map(scale).map(clamp);
    if (group.lines.length > 1 && group.main && mean.length > 1) {
      const band = path(mean, s, 'high') + path([...mean].reverse(), s, 'low').replace('M', 'L') + 'Z';
      makeSvg(svg, 'path', { d: band, fill: colourOf(group.kind), 'fill-opacity': 0.16, stroke: 'none' });
    }
    if (mean.length) makeSvg(svg, 'path', { d: path(mean, s), ...styleOf(group, index, group.main) });
    group.lines.filter((line) => line.diverged).forEach((line) => {
      const last = line.points[line.points.length - 1] || { step: line.diverged, value: guess / factor };
      makeSvg(svg, 'text', { x: s.x(line.diverged), y: s.y(Math.min(last.value * factor, s.high)), 'text-anchor': s.x(line.diverged) > (s.area.left + s.area.right) / 2 ? 'end' : 'start', class: 'strong diverged' }, '✕ diverged');
    });
  });
  tests.forEach((group) => group.mean.map(scale).map(clamp).forEach((p) => {
    const mark = group.kind === 'plain' ? { d: `M${s.x(p.step) - 5},${s.y(p.value) - 5}h10v10h-10z` } : { d: `M${s.x(p.step) - 5},${s.y(p.value)}a5,5 0 1 0 10,0a5,5 0 1 0 -10,0z` };
    makeSvg(svg, 'path', { ...mark, fill: 'var(--background-fill-primary)', stroke: colourOf(group.kind), 'stroke-width': 2, 'stroke-opacity': group.main ? 1 : 0.55 });
  }));
  svg._scale = { s, steps };
  if (hovered !== null) cursor(svg, s, all, tests, factor);
}

// Where a transfer begins another phase, a line and its name.
const PHASES = { head: 'new head', 'fine-tuning': 'fine-tuning', scratch: 'from scratch' };
function phases(svg, s) {
  const marks = runs.get(current)?.phases || [];
  if (marks.length < 2) return;
  marks.forEach((phase, i) => {
    if (i) makeSvg(svg, 'line', { class: 'phase', x1: s.x(phase.step), x2: s.x(phase.step), y1: s.area.top, y2: s.area.bottom });
    makeSvg(svg, 'text', { class: 'phase-name', x: s.x(phase.step) + 4, y: s.area.top + 12 }, PHASES[phase.name] || phase.name);
  });
}

function cursor(svg, s, all, tests, factor) {
  const lines = [];
  let step = null;
  const nearest = (points) => points.reduce((a, b) => (Math.abs(b.step - hovered) < Math.abs(a.step - hovered) ? b : a));
  for (const [list, what] of [[all, 'training'], [tests, 'test']]) {
    for (const group of list) {
      if (!group.mean.length) continue;
      const p = nearest(group.mean);
      if (what === 'training') step = p.step;
      lines.push([group.kind, `${group.name} ${what}${p.step === step ? '' : ` at ${p.step}`}: ${number(p.value * factor, factor === 100 ? 1 : 3)}`]);
    }
  }
  if (step === null) return;
  makeSvg(svg, 'line', { class: 'cursor', x1: s.x(step), x2: s.x(step), y1: s.area.top, y2: s.area.bottom });
  const wide = 30 + Math.max(...lines.map((l) => l[1].length), 9) * 7.6, left = Math.max(0, s.x(step) > (s.area.left + s.area.right) / 2 ? s.x(step) - wide - 8 : Math.min(s.x(step) + 8, svg.viewBox.baseVal.width - wide));
  makeSvg(svg, 'rect', { class: 'tip', x: left, y: s.area.top, width: wide, height: 24 + lines.length * 18, rx: 4 });
  makeSvg(svg, 'text', { class: 'strong', x: left + 8, y: s.area.top + 18 }, `step ${step}`);
  lines.forEach(([kind, text], i) => {
    makeSvg(svg, 'rect', { x: left + 8, y: s.area.top + 26 + i * 18, width: 10, height: 10, fill: colourOf(kind) });
    makeSvg(svg, 'text', { class: 'value', x: left + 24, y: s.area.top + 36 + i * 18 }, text);
  });
}

function layers(svg, key, log) {
  clearSvg(svg);
  const run = runs.get(current);
  const arms = run ? [...run.arms.values()].filter((arm) => arm.diagnosed) : [];
  if (!arms.length) { makeSvg(svg, 'text', { x: svg.viewBox.baseVal.width / 2, y: svg.viewBox.baseVal.height / 2, 'text-anchor': 'middle' }, 'Read while a run trains.'); return; }
  const count = Math.max(...arms.map((arm) => arm.diagnosed[key].length));
  const xs = [1, Math.max(count, 2)], s = scales(svg, xs, arms.flatMap((arm) => arm.diagnosed[key]).filter((v) => finite(v) && (!log || v > 0)), log);
  axes(svg, s, xs, 'layer', (v) => tickLabel(v, 4, 0.01));
  const names = [...new Set(arms.map((arm) => groupOf(arm.name)))];
  arms.forEach((arm) => {
    const index = names.indexOf(groupOf(arm.name));
    const points = arm.diagnosed[key].map((value, i) => ({ step: i + 1, value })).filter((p) => finite(p.value) && (!log || p.value > 0));
    if (points.length) makeSvg(svg, 'path', { d: path(points, s), ...styleOf({ kind: kindOf(arm.name) }, index, true), 'stroke-width': 2 });
  });
}

const guessing = (key) => {
  const run = runs.get(current), classes = (run && run.state && run.state.classes) || 10;
  return key === 'loss' ? Math.log(classes) : 1 - 1 / classes;
};

function legend() {
  const names = [...new Map([...runs.values()].flatMap((run) => groups(run, 'loss', false).map((g) => [g.name + (run.id === current ? '' : ` (${run.id.slice(-6)})`), { ...g, main: run.id === current }])))];
  find('.legend').replaceChildren(...names.map(([name, group], index) => {
    const item = document.createElement('span'), svg = makeSvg(item, 'svg', { viewBox: '0 0 34 10', 'aria-hidden': 'true' });
    makeSvg(svg, 'path', { d: 'M0,5H34', ...styleOf(group, index, group.main) });
    item.append(`${name}${group.lines.length > 1 ? ` (${group.lines.length} seeds)` : ''}`);
    return item;
  }), ...(names.length ? [document.createTextNode(`line: training, marks: ${isTransfer() ? 'validation, at the end test' : 'test'}`)] : []));
}
