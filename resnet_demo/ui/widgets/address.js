// The address describes the tab that is shown. A person's choice of a tab is a step in the browser's history; the
// queries of the other tabs wait here. Widgets write their part with pageAddress.put, whether their tab is shown or not.
const pageAddress = (() => {
  const first = Object.keys(TAB_TITLES)[0], waiting = {};
  document.documentElement.classList.toggle('projector', shown() === 'lab' && new URL(location.href).searchParams.get('view') === 'projector');
  document.documentElement.dataset.lesson = new URL(location.href).searchParams.get('lesson') || '';   // the step that is shown
  let opened = false;                                 // Gradio selects the first tab as the page opens

  function tabOf(query) {
    const tab = query.get('tab') || (['run', 'settings', 'view'].some((name) => query.has(name)) ? 'lab' : first);
    return Object.hasOwn(TAB_TITLES, tab) ? tab : first;
  }

  function shown() { return tabOf(new URL(location.href).searchParams); }

  // The query of a tab, in the address or waiting.
  function queryOf(tab) {
    return tab === shown() ? new URL(location.href).searchParams : new URLSearchParams(waiting[tab] ?? (tab === first ? '' : `tab=${tab}`));
  }

  // Sets fields of a tab's query; null removes one. With `step`, Back returns to the query before.
  function put(tab, fields, { step = false, state = history.state } = {}) {
    const query = queryOf(tab);
    for (const [name, value] of Object.entries(fields)) if (value === null) query.delete(name); else query.set(name, value);
    if (tab !== shown()) { waiting[tab] = query.toString(); return; }
    const here = new URL(location.href);
    here.search = query;
    if (step && here.href !== location.href) history.pushState(state, '', here);
    else history.replaceState(state, '', here);
  }

  // A tab was selected: by a person, or as the page opened or went back, when the address is that tab's already.
  function select(tab) {
    const here = new URL(location.href), before = shown(), byPerson = opened || tab !== first;
    opened = true;
    if (tab === before || !byPerson) return;
    waiting[before] = here.search;
    here.search = queryOf(tab);
    history.pushState(null, '', here);
  }

  addEventListener('popstate', () => {
    const title = TAB_TITLES[shown()], buttons = document.querySelectorAll('#tabs [role=tab], #tabs .overflow-dropdown button');
    const button = [...buttons].find((one) => one.textContent.trim() === title);
    if (button && button.getAttribute('aria-selected') !== 'true') button.click();
  });
  return { shown, put, select };
})();
