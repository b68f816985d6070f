// What several widgets share; it stands before the script of each: elements, numbers, colours, axes, the clipboard.

const find = (selector) => element.querySelector(selector);

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) if (value !== null && value !== undefined) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function makeSvg(parent, name, attributes, text) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.appendChild(node);
  return node;
}

// Numbers as people read them; `share` and `percent` give the same words as resnet_demo/words.py.
const finite = (value) => typeof value === 'number' && Number.isFinite(value);
const number = (value, digits = 3) => (value === null || value === undefined ? '' : Number.isFinite(+value) ? (+value).toFixed(digits) : String(value));
const share = (p) => (p > 0.999 ? '>99.9 %' : p < 0.001 ? '<0.1 %' : `${(100 * p).toFixed(1)} %`);   // never all or nothing
const percent = (fraction) => (fraction < 0.0001 ? 'under 0.01\u00a0%' : `${(100 * fraction).toFixed(fraction < 0.1 ? 2 : 0)}\u00a0%`);
const duration = (seconds) => (seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`);
const tickLabel = (value, digits = 3, smallest = 0) => (value !== 0 && (Math.abs(value) < smallest || Math.abs(value) >= 1e5) ? value.toExponential(0) : (+value.toPrecision(digits)).toString());

// The colour of a kind of network, 'residual' or 'plain', is a custom property that ui/theme.py defines. Colour is
// never the only difference: lines of plain networks are dashed.
const colourOf = (kind) => `var(--${kind})`;
const dashesOf = (kind) => ({ plain: '7 4', scratch: '2 4', 'linear-probe': '12 3 2 3' })[kind] || 'none';
const canvasColourOf = (kind) => getComputedStyle(element).getPropertyValue(`--${kind}`).trim();

// One unit is one pixel, so that text has the same size on a phone and on a projector. A tab that is not open has no size.
function clearSvg(svg) {
  svg.setAttribute('viewBox', `0 0 ${svg.clientWidth || 560} ${svg.clientHeight || 250}`);
  svg.replaceChildren();
}

// About `count` round values between two.
function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) || rough;
  const values = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-6; v += step) values.push(+v.toPrecision(10));
  return values;
}

// Round values of a logarithmic axis; where fewer than two fit, those of a linear one.
function logTicks(low, high) {
  const values = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e += 1) {
    for (const m of (high / low > 300 ? [1] : [1, 2, 5])) values.push(m * 10 ** e);
  }
  const visible = values.filter((v) => v >= low * 0.999 && v <= high * 1.001);
  return visible.length < 2 ? ticks(low, high, 4) : visible;
}

// The area of a figure, and functions x and y from values to pixels. `xs` are the ends of the horizontal axis.
function scales(svg, xs, values, log) {
  const box = svg.viewBox.baseVal, area = { left: 56, right: box.width - 26, top: 12, bottom: box.height - 42 };
  let low = Math.min(...values), high = Math.max(...values);
  if (!finite(low)) { low = 0; high = 1; }
  if (log) { low = Math.max(low, 1e-8); high = Math.max(high, low * 1.01); } else { const pad = (high - low || 1) * 0.06; low = Math.max(low - pad, 0); high += pad; }
  const f = log ? Math.log10 : (v) => v;
  const x = (v) => area.left + ((v - xs[0]) / (xs[1] - xs[0] || 1)) * (area.right - area.left);
  const y = (v) => area.bottom - ((f(Math.max(v, log ? 1e-8 : -Infinity)) - f(low)) / (f(high) - f(low) || 1)) * (area.bottom - area.top);
  return { area, x, y, low, high, log };
}

function axes(svg, s, xs, xLabel, format) {
  for (const v of s.log ? logTicks(s.low, s.high) : ticks(s.low, s.high, 5)) {
    makeSvg(svg, 'line', { class: 'grid', x1: s.area.left, x2: s.area.right, y1: s.y(v), y2: s.y(v) });
    makeSvg(svg, 'text', { x: s.area.left - 6, y: s.y(v) + 5, 'text-anchor': 'end' }, format(v));
  }
  if (xs[1] > 1) for (const v of ticks(xs[0], xs[1], Math.min(5, (s.area.right - s.area.left) / 60))) makeSvg(svg, 'text', { x: s.x(v), y: s.area.bottom + 19, 'text-anchor': 'middle' }, v.toLocaleString('en'));
  makeSvg(svg, 'text', { x: s.area.right, y: s.area.bottom + 36, 'text-anchor': 'end' }, xLabel);
}

// Copies a text, and gives whether that worked. Over plain http browsers offer no clipboard; there the older way of
// selecting a text and copying it still works.
async function copyText(text) {
  if (navigator.clipboard) try { await navigator.clipboard.writeText(text); return true; } catch { /* not allowed: the older way */ }
  const area = document.createElement('textarea'), before = document.activeElement;
  area.setAttribute('aria-hidden', 'true'); area.style = 'position:fixed;opacity:0'; area.value = text;
  document.body.append(area); area.select();
  const done = document.execCommand('copy');
  area.remove(); before?.focus();
  return done;
}
