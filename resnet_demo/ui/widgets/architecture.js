// Draws a network: its stages as a table, and one of its building blocks twice, without and with the shortcut. The value
// is {networks, selected, map}: networks as paper/shapes.py describes them, the name of the first one shown, and whether
// the table and the choice of a network are shown.
let network = null, stage = null, block = 0;

const shapeOf = (shape) => (shape[1] === 1 ? `${shape[0].toLocaleString('en')}` : shape.join('×'));
const whole = (count) => count.toLocaleString('en');
const millions = (count) => (count / 1e6).toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

function choose(name) {
  network = props.value.networks.find((one) => one.name === name) || props.value.networks[0];
  stage = network.stages.find((one) => one.blocks.length);
  block = stage.blocks.length - 1;
  draw();
}

function chooseBlock(of, index) { stage = of; block = index; draw(); }

function pressable(text, pressed, action) {
  const button = make('button', { type: 'button', 'aria-pressed': pressed }, text);
  button.addEventListener('click', () => {
    const place = button.closest('.map, .blocks'), index = [...place.querySelectorAll('button')].indexOf(button);
    action();
    place.querySelectorAll('button')[index]?.focus();   // it was drawn anew
  });
  return button;
}

function map() {
  const head = ['stage', 'layers', 'output', 'parameters', 'multiply-adds, millions', 'share of them'];
  const rows = network.stages.map((one) => {
    const name = one.blocks.length ? pressable(one.name, one === stage, () => chooseBlock(one, one.blocks.length - 1)) : one.name;
    const bar = make('div', { class: 'bar', style: `width:${(100 * one.cost.multiply_adds / network.multiply_adds).toFixed(1)}%` });
    return make('tr', {}, make('th', { scope: 'row' }, name), make('td', {}, one.layers), make('td', {}, shapeOf(one.output)),
      make('td', { class: 'number' }, whole(one.cost.parameters)), make('td', { class: 'number' }, millions(one.cost.multiply_adds)),
      make('td', { class: 'share' }, make('span', { class: 'sr' }, percent(one.cost.multiply_adds / network.multiply_adds)), bar));
  });
  find('.map').replaceChildren(make('table', {}, make('caption', {}, `${network.title}: stages, with channels×height×width of what each computes`),
    make('thead', {}, make('tr', {}, ...head.map((text) => make('th', { scope: 'col' }, text)))), make('tbody', {}, ...rows)));
}

function arrow(svg, x, from, to) {
  makeSvg(svg, 'path', { class: 'flow', d: `M${x},${from}V${to - 5}` });
  makeSvg(svg, 'path', { class: 'head', d: `M${x - 4},${to - 7}h8l-4,7z` });
}

function lines(svg, text, x, y, width) {   // a text in lines of at most so many pixels
  const result = [''];
  for (const word of text.split(' ')) {
    if ((result[result.length - 1] + word).length * 7 > width && result[result.length - 1]) result.push('');
    result[result.length - 1] += (result[result.length - 1] ? ' ' : '') + word;
  }
  result.forEach((line, i) => makeSvg(svg, 'text', { x, y: y + (i - (result.length - 1) / 2) * 16 + 5, class: 'quiet' }, line));
}

function drawBlock(kind) {
  const svg = find(`svg.${kind}`), drawing = stage.blocks[block], residual = kind === 'residual', colour = colourOf(kind);
  const width = Math.max(svg.clientWidth || 320, 260), wide = Math.min(200, width * 0.56), x = wide / 2 + 4, around = wide + 32;
  const top = 40, step = 82, sum = top + drawing.layers.length * step + 10, end = sum + 14, bottom = sum + 104;
  svg.style.height = `${bottom}px`;
  svg.setAttribute('viewBox', `0 0 ${width} ${bottom}`);
  svg.replaceChildren();
  const output = drawing.layers[drawing.layers.length - 1].shape, added = network.scale === 1 ? 'x' : `${network.scale} x`, formula = residual ? `relu(F(x) + ${added})` : 'relu(F(x))';
  makeSvg(svg, 'text', { x, y: 16, 'text-anchor': 'middle' }, `x: ${shapeOf(drawing.input)}`);
  drawing.layers.forEach((layer, i) => {
    const y = top + i * step + 18;
    arrow(svg, x, i ? y - 48 : 22, y);
    if (i) makeSvg(svg, 'text', { x: x + 8, y: y - 22, class: 'quiet' }, `relu, ${shapeOf(drawing.layers[i - 1].shape)}`);
    makeSvg(svg, 'rect', { class: 'box', x: x - wide / 2, y, width: wide, height: 34, rx: 3, stroke: colour, 'stroke-dasharray': residual ? 'none' : '7 4' });
    makeSvg(svg, 'text', { x, y: y + 22, 'text-anchor': 'middle' }, layer.text);
  });
  if (residual) arrow(svg, x, sum - 40, sum + 2);
  else makeSvg(svg, 'path', { class: 'flow', d: `M${x},${sum - 40}V${end + 12}` });
  makeSvg(svg, 'text', { x: x - 8, y: sum - 12, 'text-anchor': 'end' }, 'F(x)');
  const middle = (30 + sum) / 2;
  makeSvg(svg, 'path', { d: `M${x},30H${around}V${middle - 16}`, fill: 'none', stroke: residual ? colour : 'var(--body-text-color-subdued)', 'stroke-width': residual ? 2.6 : 1.4, 'stroke-dasharray': residual ? 'none' : '2 4' });
  makeSvg(svg, 'path', { d: `M${around},${middle + 16}V${end}H${residual ? x + 12 : x + 16}`, fill: 'none', stroke: residual ? colour : 'var(--body-text-color-subdued)', 'stroke-width': residual ? 2.6 : 1.4, 'stroke-dasharray': residual ? 'none' : '2 4' });
  makeSvg(svg, 'path', { d: residual ? `M${around},${middle + 16}V${middle - 16}` : `M${around},${middle + 16}l19,-27`, fill: 'none', stroke: residual ? colour : 'var(--body-text-color)', 'stroke-width': 2.6 });   // the lever of the switch
  for (const y of [middle - 16, middle + 16]) makeSvg(svg, 'circle', { cx: around, cy: y, r: 4, fill: residual ? colour : 'var(--body-text-color)' });
  lines(svg, residual ? `closed: ${drawing.shortcut}${network.scale === 1 ? '' : `, times ${network.scale}`}` : 'open: nothing is added', around + 26, middle, width - around - 26);
  if (residual) {
    makeSvg(svg, 'circle', { class: 'box', cx: x, cy: end, r: 12, stroke: colour });
    makeSvg(svg, 'path', { d: `M${x - 6},${end}h12M${x},${end - 6}v12`, stroke: colour, 'stroke-width': 2.4 });
  }
  arrow(svg, x, end + 12, end + 44);
  makeSvg(svg, 'text', { x: x + 8, y: end + 32, class: 'quiet' }, 'relu');
  makeSvg(svg, 'text', { x, y: end + 64, 'text-anchor': 'middle', class: 'formula' }, formula);
  makeSvg(svg, 'text', { x, y: end + 84, 'text-anchor': 'middle', class: 'quiet' }, shapeOf(output));
  const layers = drawing.layers.map((layer) => `${layer.text}, gives ${shapeOf(layer.shape)}`).join('; then ');
  svg.setAttribute('aria-label', `${residual ? 'Residual' : 'Plain'} block: x is ${shapeOf(drawing.input)}. F(x): ${layers}. ${residual ? `The shortcut is closed (${drawing.shortcut}) and adds ${added}.` : 'The shortcut is open: nothing is added.'} The output is ${formula}.`);
}

function draw() {
  if (!network) return;
  const complete = props.value.map !== false;
  find('.map').hidden = !complete;
  find('.choice').hidden = !complete && props.value.networks.length < 2;
  find('.totals').hidden = !complete;
  find('.network').value = network.name;
  find('.totals').textContent = `${whole(network.parameters)} parameters, ${millions(network.multiply_adds)} million multiply-adds`;
  if (complete) map();
  const names = network.stages.filter((one) => one.blocks.length && (one === stage || !complete));
  find('.blocks').replaceChildren('Drawn: ', ...names.flatMap((one) => one.blocks.map((drawing, i) => pressable(`${one.name}, ${drawing.title}`, one === stage && i === block, () => chooseBlock(one, i)))));
  drawBlock('plain'); drawBlock('residual');
  find('.note').textContent = complete ? network.note : network.note.split('. ')[0] + '.';
}

function show() {
  const value = props.value || {};
  if (!value.networks?.length) return;
  find('.network').replaceChildren(...value.networks.map((one) => make('option', { value: one.name }, one.title)));
  choose(value.networks.some((one) => one.name === network?.name) ? network.name : value.selected);
}

find('.network').addEventListener('change', (event) => choose(event.target.value));
let width = 0;
new ResizeObserver(() => { const now = find('.pair').clientWidth; if (now !== width) { width = now; draw(); } }).observe(find('.pair'));
watch('value', show);
show();
