// The numbers of a finished transfer: accuracies, baselines beside it, and which class was taken for which.
const NAMES = { train: 'on what it learned from', validation: 'on the part set aside', test: 'on the test pictures' };
const accuracy = (value) => (value === null || value === undefined ? '–' : `${(100 * value).toFixed(1)} %`);

function cells(row, values, head) {
  values.forEach((value, i) => row.append(make(head || i === 0 ? 'th' : 'td', { scope: head ? 'col' : i === 0 ? 'row' : null }, value)));
  return row;
}

function numbers(value) {
  const items = [[accuracy(value.train_accuracy), NAMES.train], [accuracy(value.validation_accuracy), NAMES.validation], [accuracy(value.test_accuracy), `${NAMES.test} (${value.test_images.toLocaleString('en')}); 95 % interval ${accuracy(value.interval[0])} to ${accuracy(value.interval[1])}`], [`${accuracy(value.precision)} · ${accuracy(value.recall)} · ${accuracy(value.f1)}`, 'precision, recall, F1 (means over the classes)']];
  return items.map(([number, name]) => make('div', {}, make('strong', {}, number), make('span', {}, name)));
}

function baselines(value) {
  const table = make('table', {}, make('caption', {}, 'On the same test pictures. p: how often chance alone makes such a difference to the transfer (McNemar).'));
  table.createTHead().append(cells(make('tr'), ['', 'accuracy', 'p'], true));
  const body = table.createTBody();
  const own = cells(make('tr', { class: 'own' }), ['the transfer', accuracy(value.test_accuracy), '']);
  body.append(own, ...value.baselines.map((other) => cells(make('tr'), [other.name, accuracy(other.test_accuracy), other.p < 0.001 ? '<0.001' : other.p.toFixed(3)])));
  return table;
}

function confusion(value) {
  const table = make('table', {}, make('caption', {}, 'Test pictures of the class on the left that were taken for the class above.'));
  table.createTHead().append(cells(make('tr'), ['', ...value.classes], true));
  const body = table.createTBody();
  value.confusion.forEach((row, i) => {
    const total = row.reduce((a, b) => a + b, 0) || 1, line = cells(make('tr'), [value.classes[i], ...row.map(String)]);
    row.forEach((count, j) => {
      const cell = line.cells[j + 1];
      if (i === j) cell.classList.add('right');
      else if (count) cell.style.background = `color-mix(in srgb, var(--plain) ${Math.round(10 + (50 * count) / total)}%, transparent)`;
    });
    body.append(line);
  });
  return table;
}

function draw() {
  const value = props.value;
  find('.outcome').hidden = !value || !value.confusion;
  if (!value || !value.confusion) return;
  find('.numbers').replaceChildren(...numbers(value));
  find('.baselines').replaceChildren(...(value.baselines.length ? [baselines(value)] : []));
  find('.confusion').replaceChildren(confusion(value));
}
watch('value', draw);
draw();
