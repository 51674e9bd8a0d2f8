// Makes one of each thing that a store has none of, as whoever is signed in to the back office
// and as a shopper with the shop's publishable key: a picture of nothing shows little.
async (store, publishable) => {
  const ask = async (method, path, body, headers) => {
    const answer = await fetch(`/v1${path}`, {
      method,
      body: body && JSON.stringify(body),
      headers: { 'Content-Type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json', 'Idempotency-Key': String(Math.random()), ...headers },
    });
    const got = answer.status === 204 ? {} : await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(got)}`);
    return got;
  };
  const office = (method, path, body) => ask(method, path, body, { 'Stoa-Store': store, 'Stoa-Mode': 'live' });
  const none = async (path) => (await office('GET', `${path}${path.includes('?') ? '&' : '?'}limit=1`)).data.length === 0;
  const address = { name: 'Grace Example', line1: '1 Sample Street', city: 'Berlin', postal_code: '10115', country: 'DE' };
  const products = (await office('GET', '/products?limit=20&status=active')).data;
  const variants = products.flatMap((product) => product.variants.filter((variant) => variant.prices.length > 0).map(({ id }) => id));
  const { currency } = await office('GET', '/store');

  const shop = (method, path, body, cart) => ask(method, `/shop${path}`, body, { Authorization: `Bearer ${publishable}`, ...(cart && { 'Cart-Token': cart }) });
  const order = async (n, send) => {
    const { cart, token } = await shop('POST', '/carts', { lines: [{ variant_id: variants[n % variants.length], quantity: 1 + (n % 2) }] });
    const methods = (await shop('GET', `/carts/${cart.id}/shipping-methods`, undefined, token)).data;
    const asked = await shop('PATCH', `/carts/${cart.id}`, { email: 'grace@example.com', shipping_address: address, ...(methods[0] && { shipping_method_id: methods[0].id }) }, token);
    const bought = await shop('POST', `/carts/${cart.id}/complete`, { payment: { provider: 'test', token: 'succeeds' }, expected_total: asked.totals.total }, token);
    if (send) await office('POST', `/orders/${bought.id}/fulfilments`, { tracking: { number: 'JJD000123' } });
    return bought;
  };
  if (await none('/orders?fulfilment_state=unfulfilled')) {
    await order(0, false);
    await order(1, false);
  }
  if (await none('/returns')) {
    const sent = await order(2, true);
    const { lines } = await office('GET', `/orders/${sent.id}`);
    await office('POST', `/orders/${sent.id}/returns`, { lines: [{ line_id: lines[0].id, quantity: 1, reason: 'unwanted' }] });
  }
  if (await none('/draft-orders')) {
    const draft = await office('POST', '/draft-orders', { email: 'grace@example.com', lines: [{ variant_id: variants[0], quantity: 2 }], shipping_address: address });
    await office('POST', `/draft-orders/${draft.id}/send`, { mail: false });
  }
  if (await none('/carts?state=open')) await shop('POST', '/carts', { email: 'grace@example.com', lines: [{ variant_id: variants[0], quantity: 1 }] });
  if (await none('/promotions')) await office('POST', '/promotions', { title: 'Summer', kind: 'percentage', percentage: '15', codes: ['SUMMER'] });
  if (await none('/operations')) await office('POST', '/exports', { resource: 'products' });
  if (await none('/gift-cards')) await office('POST', '/gift-cards', { amount: { amount: 5000, currency }, note: 'For a wedding' });
  if (await none('/customer-groups')) await office('POST', '/customer-groups', { name: 'Restaurants' });
  if (await none('/price-lists')) {
    const list = await office('POST', '/price-lists', { name: 'Winter prices', kind: 'sale', active: false });
    await office('POST', `/price-lists/${list.id}/prices`, { prices: [{ variant_id: variants[0], currency, amount: 1900 }] });
  }
  if (await none('/webhook-endpoints')) await office('POST', '/webhook-endpoints', { url: 'https://example.com/stoa', description: 'The ledger', event_types: ['order.*'] });
  if (await none('/field-definitions')) await office('POST', '/field-definitions', { resource: 'product', key: 'firing', name: 'Fired at', type: 'text' });
  if (await none('/personal-data/erasures')) await office('POST', '/personal-data/erasures', { email: 'nobody@example.com', reason: 'Ticket 4711' });
  if (await none('/inventory/movements?type=transfer')) {
    const from = (await office('GET', '/locations?limit=1')).data[0];
    const to = await office('POST', '/locations', { name: 'The barn' });
    await office('POST', '/inventory/transfers', { from_location_id: from.id, to_location_id: to.id, note: 'To the fair', lines: [{ variant_id: variants[1], quantity: 1 }] });
  }
  return true;
};
