// A map of heights, flat or as a relief that can be turned: stronger in colour where the loss is lower, on a logarithmic scale that all
// maps share; contours at round losses.
const turn = { relief: false, azimuth: 0.6, tilt: 0.85 };   // radians; of all maps
const contours = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

const logOf = (height) => Math.log10(Math.max(height, 0.001));
const shade = (share) => (0.95 - 0.9 * share).toFixed(3);

function drawMap(svg, panel) {
  clearSvg(svg);
  const [low, high] = panel.limits.map(logOf);
  svg.style.touchAction = turn.relief ? 'pan-y' : '';
  if (turn.relief) { drawRelief(svg, panel, low, high); return; }
  const n = panel.axis.length, box = svg.viewBox.baseVal, room = { left: 44, top: 8, side: Math.min(box.width - 56, box.height - 52) };
  const cell = room.side / (n - 1), log = panel.heights.map(logOf);
  const at = (column, row) => [room.left + column * cell, room.top + room.side - row * cell];
  const clip = makeSvg(svg, 'svg', { x: room.left, y: room.top, width: room.side, height: room.side, viewBox: `${room.left} ${room.top} ${room.side} ${room.side}` });
  panel.heights.forEach((height, i) => {
    const [x, y] = at(i % n, Math.floor(i / n)), share = (log[i] - low) / (high - low || 1);
    const square = makeSvg(clip, 'rect', { x: x - cell / 2, y: y - cell / 2, width: cell, height: cell, 'shape-rendering': 'crispEdges', fill: strokeOf(panel.kind), 'fill-opacity': shade(share) });
    makeSvg(square, 'title', {}, `loss ${height.toPrecision(3)} at ${panel.axis[i % n]}, ${panel.axis[Math.floor(i / n)]}`);
  });
  for (const level of contours.map(Math.log10).filter((v) => v > low && v < high)) drawContour(clip, log, n, level, at);
  makeSvg(svg, 'path', { d: `M${at((n - 1) / 2, (n - 1) / 2)}m-6,0h12m-6,-6v12`, stroke: 'var(--body-text-color)', 'stroke-width': 2 });
  for (const v of [-1, 0, 1]) {
    const place = ((v + 1) / 2) * (n - 1), text = String(v).replace('-', '\u2212');
    makeSvg(svg, 'text', { x: at(place, 0)[0], y: room.top + room.side + 17, 'text-anchor': 'middle' }, text);
    makeSvg(svg, 'text', { x: room.left - 6, y: at(0, place)[1] + 5, 'text-anchor': 'end' }, text);
  }
  makeSvg(svg, 'text', { x: room.left + room.side, y: room.top + room.side + 36, 'text-anchor': 'end' }, `loss ${lossWords(low)} (strong colour) to ${lossWords(high)} (pale)`);
}

const lossWords = (log) => tickLabel(10 ** log, 2, 1e-3);

// The heights seen from above at an angle, square by square, the far ones first.
function drawRelief(svg, panel, low, high) {
  const n = panel.axis.length, box = svg.viewBox.baseVal, size = Math.min(box.width * 0.66, (box.height - 30) * 0.72), [ca, sa] = [Math.cos(turn.azimuth), Math.sin(turn.azimuth)];
  const project = (column, row, share) => {
    const x = column / (n - 1) - 0.5, y = row / (n - 1) - 0.5, depth = x * sa + y * ca;
    return [box.width / 2 + (x * ca - y * sa) * size, box.height * 0.56 - depth * size * Math.sin(turn.tilt) + (0.5 - share) * size * 0.75 * Math.cos(turn.tilt), depth];
  };
  const share = panel.heights.map((height) => (logOf(height) - low) / (high - low || 1)), squares = [];
  for (let row = 0; row < n - 1; row += 1) for (let column = 0; column < n - 1; column += 1) {
    const places = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]], corners = places.map(([c, r]) => project(c, r, share[r * n + c]));
    squares.push({ corners, depth: corners.reduce((sum, corner) => sum + corner[2], 0), share: places.reduce((sum, [c, r]) => sum + share[r * n + c], 0) / 4 });
  }
  for (const square of squares.sort((a, b) => b.depth - a.depth)) {
    const d = `M${square.corners.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join('L')}Z`;
    makeSvg(svg, 'path', { d, fill: 'var(--block-background-fill)' });   // so that what lies behind does not shine through
    makeSvg(svg, 'path', { d, fill: strokeOf(panel.kind), 'fill-opacity': shade(square.share), stroke: 'var(--body-text-color)', 'stroke-opacity': 0.3, 'stroke-width': 0.6 });
  }
  const middle = project((n - 1) / 2, (n - 1) / 2, share[(n * n - 1) / 2]);
  makeSvg(svg, 'path', { d: `M${middle[0] - 6},${middle[1]}h12m-6,-6v12`, stroke: 'var(--body-text-color)', 'stroke-width': 2 });
  makeSvg(svg, 'text', { x: box.width - 12, y: box.height - 6, 'text-anchor': 'end' }, `height: loss ${lossWords(low)} to ${lossWords(high)}, logarithmic`);
}

function viewButtons() {
  const views = [['Map', false], ['3-D', true]].map(([words, relief]) => {
    const button = make('button', { type: 'button', 'aria-pressed': turn.relief === relief }, words);
    button.addEventListener('click', () => {
      turn.relief = relief;
      element.querySelectorAll('.views button').forEach((one) => one.setAttribute('aria-pressed', (one.textContent === '3-D') === relief));
      drawPanels(current.panels);
    });
    return button;
  });
  return make('span', { class: 'views' }, ...views, make('small', {}, 'Drag it, or use the arrow keys.'));
}

// A relief is turned by dragging it, or by the arrow keys; both turn together.
function makeTurnable(svg) {
  svg.setAttribute('tabindex', '0');
  let from = null;
  const by = (across, down) => {
    turn.azimuth += across;
    turn.tilt = Math.min(Math.max(turn.tilt + down, 0.15), 1.5);
    drawPanels(current.panels);
  };
  svg.addEventListener('pointerdown', (event) => { if (turn.relief) { from = event; svg.setPointerCapture(event.pointerId); } });
  svg.addEventListener('pointermove', (event) => { if (from) { by((event.clientX - from.clientX) / 120, (event.clientY - from.clientY) / 160); from = event; } });
  for (const name of ['pointerup', 'pointercancel']) svg.addEventListener(name, () => { from = null; });
  svg.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
    if (turn.relief && step) { event.preventDefault(); by(...step); }
  });
}

// The line on which a grid of values has one value, square by square: where it crosses the sides, by interpolation.
function drawContour(svg, values, n, level, at) {
  let d = '', place = null;
  for (let row = 0; row < n - 1; row += 1) for (let column = 0; column < n - 1; column += 1) {
    const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]], crossings = [];
    corners.forEach(([c, r], i) => {
      const [c2, r2] = corners[(i + 1) % 4], a = values[r * n + c] - level, b = values[r2 * n + c2] - level;
      if ((a < 0) !== (b < 0)) crossings.push(at(c + (c2 - c) * (a / (a - b)), r + (r2 - r) * (a / (a - b))).map((v) => +v.toFixed(1)));
    });
    for (let i = 0; i + 1 < crossings.length; i += 2) { d += `M${crossings[i]}L${crossings[i + 1]}`; place = crossings[i]; }
  }
  if (!place) return;
  makeSvg(svg, 'path', { d, stroke: 'var(--body-text-color)', 'stroke-opacity': 0.65, 'stroke-width': level === 0 ? 2 : 1, fill: 'none' });
  makeSvg(svg, 'text', { class: 'halo', x: place[0], y: place[1], 'text-anchor': 'end' }, String(+(10 ** level).toPrecision(2)));
}
