// The reliability diagram: a bar for each group of answers of about one confidence, and the line on which a calibrated network would be.
function reliability(model) {
  const svg = find('.reliability');
  clearSvg(svg);
  const box = svg.viewBox.baseVal, area = { left: 46, right: box.width - 14, top: 10, bottom: box.height - 40 };
  const x = (v) => area.left + v * (area.right - area.left), y = (v) => area.bottom - v * (area.bottom - area.top);
  for (const v of [0, 0.25, 0.5, 0.75, 1]) {
    makeSvg(svg, 'line', { class: 'grid', x1: area.left, x2: area.right, y1: y(v), y2: y(v) });
    makeSvg(svg, 'text', { x: area.left - 6, y: y(v) + 5, 'text-anchor': 'end' }, `${100 * v}`);
    makeSvg(svg, 'text', { x: x(v), y: area.bottom + 17, 'text-anchor': v === 1 ? 'end' : 'middle' }, `${100 * v}`);
  }
  for (const [low, high, images, confidence, accuracy] of model.bins) {
    if (!images) continue;
    const bar = makeSvg(svg, 'rect', { x: x(low) + 1, width: x(high) - x(low) - 2, y: y(accuracy), height: Math.max(area.bottom - y(accuracy), 1), fill: colourOf(model.kind), 'fill-opacity': images < 10 ? 0.35 : 0.85 });
    makeSvg(bar, 'title', {}, `Confidence ${percent(low)} to ${percent(high)}: ${images} pictures, ${percent(accuracy)} right, mean confidence ${percent(confidence)}`);
  }
  makeSvg(svg, 'line', { class: 'ideal', x1: x(0), y1: y(0), x2: x(1), y2: y(1) });
  makeSvg(svg, 'text', { x: area.right, y: area.bottom + 35, 'text-anchor': 'end' }, 'confidence, %; bars: right answers, %');
  svg.setAttribute('aria-label', `Reliability diagram of ${model.title}. ${model.bins.filter((bin) => bin[2]).map((bin) => `${Math.round(100 * bin[0])} to ${Math.round(100 * bin[1])} %: ${bin[2]} pictures, ${Math.round(100 * bin[4])} % right`).join('; ')}.`);
}

function numbersTable(value) {
  const table = find('.numbers');
  table.querySelector('caption').textContent = value.conditions;
  table.querySelector('thead').replaceChildren(make('tr', {}, make('th', { scope: 'col' }, ''), ...value.models.map((model) => make('th', { scope: 'col' }, make('span', { class: `badge ${model.kind}`, 'aria-hidden': 'true' }), model.title.replaceAll('-', '\u2011')))));
  table.querySelector('tbody').replaceChildren(...value.numbers.map((row) => make('tr', {}, make('th', { scope: 'row' }, row.name), ...row.values.map((text) => make('td', {}, text)))));
}

function classTable(model) {
  const table = find('.by-class table');
  find('.part').textContent = model.part;
  table.querySelector('thead').replaceChildren(make('tr', {}, ...['Class', 'Pictures', 'Precision', 'Recall', 'F1'].map((name) => make('th', { scope: 'col' }, name))));
  table.querySelector('tbody').replaceChildren(...model.per_class.map((row) => make('tr', {}, make('th', { scope: 'row' }, row.label), make('td', {}, row.images.toLocaleString('en')), ...[row.precision, row.recall, row.f1].map((v) => make('td', {}, `${(100 * v).toFixed(1)}\u00a0%`)))));
}

function paperTable(model) {
  find('.published tbody').replaceChildren(...model.paper.map((row, index) => make('tr', { class: index ? null : 'own' }, make('td', {}, make('b', {}, row.source), make('small', {}, `${row.metric.replace(', %', '')}. ${row.conditions}`)), make('td', {}, make('b', {}, row.value), ...(row.interval ? [make('small', {}, row.interval)] : [])))));
  find('.published-note').textContent = model.paper_note;
}

function pairBox(value, choose) {
  const box = find('.pair'), pair = value.pair;
  box.hidden = !pair;
  if (!pair) return;
  const names = { both: 'Both are right', first: `Only ${value.models[0].title} is right`, second: `Only ${value.models[1].title} is right`, neither: 'Neither is right' };
  box.replaceChildren(make('h3', {}, 'On the same pictures'), ...pair.cells.map(([which, count]) => {
    const parts = [make('span', {}, names[which]), make('span', {}, count.toLocaleString('en'))];
    if (which === 'both') return make('button', { type: 'button', disabled: '' }, ...parts);
    const button = make('button', { type: 'button', 'aria-pressed': String(request.show === which), 'data-show': which }, ...parts);
    button.addEventListener('click', () => choose(which));
    return button;
  }), make('p', {}, pair.sentence));
}
