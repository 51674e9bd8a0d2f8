import { answered, idempotencyKey, type Schemas } from '../../api/client';
import type { StoreSide } from '../../session/store';
import type { Language } from '../../words/language';
import { digits } from '../../words/format';
import { sampleTag } from './sampletag';



const handle = 'sample-';

type Sample = { key: string; title: Record<Language, string>; text: Record<Language, string>; price: number; stock: number; option?: { name: Record<Language, string>; values: Record<Language, string[]> }; hue: number; draw: (g: CanvasRenderingContext2D) => void };

const samples: Sample[] = [
  {
    key: 'vase',
    title: { en: 'Vase “Amphora”', de: 'Vase „Amphora“' },
    text: { en: 'Stoneware, thrown by hand, 24 cm high.', de: 'Steinzeug, von Hand gedreht, 24 cm hoch.' },
    price: 64,
    stock: 8,
    hue: 18,
    draw: (g) => {
      g.moveTo(255, 150);
      g.bezierCurveTo(250, 220, 180, 270, 180, 370);
      g.bezierCurveTo(180, 450, 225, 480, 300, 480);
      g.bezierCurveTo(375, 480, 420, 450, 420, 370);
      g.bezierCurveTo(420, 270, 350, 220, 345, 150);
    },
  },
  {
    key: 'cup',
    title: { en: 'Cup “Morning”', de: 'Becher „Morgen“' },
    text: { en: 'For tea or coffee, 250 ml.', de: 'Für Tee oder Kaffee, 250 ml.' },
    price: 22,
    stock: 40,
    option: { name: { en: 'Glaze', de: 'Glasur' }, values: { en: ['Sand', 'Sea'], de: ['Sand', 'Meer'] } },
    hue: 200,
    draw: (g) => {
      g.roundRect(195, 220, 180, 240, [10, 10, 60, 60]);
      g.roundRect(360, 270, 75, 110, 45);
    },
  },
  {
    key: 'bowl',
    title: { en: 'Bowl “Harvest”', de: 'Schale „Ernte“' },
    text: { en: 'Wide enough for fruit for the whole table.', de: 'Weit genug für Obst für den ganzen Tisch.' },
    price: 48,
    stock: 12,
    hue: 95,
    draw: (g) => {
      g.moveTo(120, 270);
      g.bezierCurveTo(130, 410, 220, 450, 300, 450);
      g.bezierCurveTo(380, 450, 470, 410, 480, 270);
      g.roundRect(240, 440, 120, 30, 8);
    },
  },
  {
    key: 'plate',
    title: { en: 'Plate “Full Moon”', de: 'Teller „Vollmond“' },
    text: { en: 'Flat, 27 cm, safe in the dishwasher.', de: 'Flach, 27 cm, spülmaschinenfest.' },
    price: 26,
    stock: 60,
    hue: 42,
    draw: (g) => {
      g.arc(300, 320, 180, 0, Math.PI * 2);
    },
  },
  {
    key: 'lamp',
    title: { en: 'Lamp “Dusk”', de: 'Leuchte „Dämmerung“' },
    text: { en: 'Linen over ash, with a warm light.', de: 'Leinen über Esche, mit warmem Licht.' },
    price: 129,
    stock: 5,
    hue: 30,
    draw: (g) => {
      g.moveTo(220, 150);
      g.lineTo(380, 150);
      g.lineTo(440, 320);
      g.lineTo(160, 320);
      g.closePath();
      g.roundRect(288, 320, 24, 130, 4);
      g.roundRect(220, 445, 160, 30, 12);
    },
  },
  {
    key: 'cushion',
    title: { en: 'Cushion “Quiet”', de: 'Kissen „Ruhe“' },
    text: { en: 'Washed linen, 45 × 45 cm, with its filling.', de: 'Gewaschenes Leinen, 45 × 45 cm, mit Füllung.' },
    price: 39,
    stock: 25,
    option: { name: { en: 'Colour', de: 'Farbe' }, values: { en: ['Clay', 'Olive', 'Chalk'], de: ['Ton', 'Olive', 'Kreide'] } },
    hue: 345,
    draw: (g) => {
      g.roundRect(150, 180, 300, 280, 60);
    },
  },
];

/** The samples as a file that an import takes. */
function file(language: Language, currency: string): Blob {
  const price = (of: number) => (digits(currency) === 0 ? String(of * 100) : of.toFixed(2));
  const header = ['Handle', 'Title', 'Body (HTML)', 'Tags', 'Option1 Name', 'Option1 Value', 'Variant SKU', 'Variant Inventory Tracker', 'Variant Inventory Qty', 'Variant Price', 'Status'];
  const rows = samples.flatMap((sample) => {
    const values = sample.option?.values[language] ?? ['Default Title'];
    return values.map((value, n) => [
      handle + sample.key,
      ...(n === 0 ? [sample.title[language], `<p>${sample.text[language]}</p>`, sampleTag, sample.option?.name[language] ?? 'Title'] : ['', '', '', '']),
      value,
      `SAMPLE-${sample.key.toUpperCase()}${values.length > 1 ? `-${n + 1}` : ''}`,
      'shopify',
      String(Math.ceil(sample.stock / values.length)),
      price(sample.price),
      n === 0 ? 'active' : '',
    ]);
  });
  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return new Blob([[header, ...rows].map((row) => row.map(cell).join(',')).join('\n')], { type: 'text/csv' });
}

/** Draws a sample, as a still life. */
async function picture({ hue, draw }: Sample): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = 600;
  canvas.height = 600;
  const g = canvas.getContext('2d') as CanvasRenderingContext2D;
  const wall = g.createLinearGradient(0, 0, 0, 600);
  wall.addColorStop(0, `hsl(${hue} 26% 93%)`);
  wall.addColorStop(1, `hsl(${hue} 22% 86%)`);
  g.fillStyle = wall;
  g.fillRect(0, 0, 600, 600);
  g.fillStyle = `hsl(${hue} 20% 78%)`;
  g.fillRect(0, 430, 600, 170);
  g.fillStyle = `hsl(${hue} 25% 30% / 0.18)`;
  g.beginPath();
  g.ellipse(330, 482, 170, 22, 0, 0, Math.PI * 2);
  g.fill();
  const body = g.createLinearGradient(140, 0, 460, 0);
  body.addColorStop(0, `hsl(${hue} 34% 64%)`);
  body.addColorStop(0.45, `hsl(${hue} 36% 58%)`);
  body.addColorStop(1, `hsl(${hue} 38% 40%)`);
  g.fillStyle = body;
  g.beginPath();
  draw(g);
  g.fill();
  return new Promise((done, fail) => canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error('no picture'))), 'image/webp', 0.9));
}

const moment = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Waits until an operation has ended. That it cannot be asked for a moment is not its end. */
async function ended(api: StoreSide['api'], operation_id: string) {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    const { data, response } = await api.GET('/v1/operations/{operation_id}', { params: { path: { operation_id } } });
    if (data?.finished_at || (response.status >= 400 && response.status < 500 && response.status !== 429)) return;
    // oxlint-disable-next-line no-await-in-loop
    await moment(400);
  }
}

/** Brings the samples in, as one import, and their pictures. */
export async function addSamples(api: StoreSide['api'], language: Language, currency: string) {
  const begun = await answered(
    api.POST('/v1/imports', {
      params: { header: { 'Idempotency-Key': idempotencyKey() } },
      body: { kind: 'shopify_products', file: '' },
      bodySerializer: () => {
        const form = new FormData();
        form.append('kind', 'shopify_products');
        form.append('file', file(language, currency), 'samples.csv');
        return form;
      },
    }),
  );
  await ended(api, begun.data.id);
  const { data: products } = await answered(api.GET('/v1/products', { params: { query: { tag: sampleTag, limit: 50 } } }));
  const show = async (product: Schemas['Product']) => {
    const sample = samples.find(({ key }) => product.handle === handle + key);
    if (!sample || product.images.length > 0) return;
    const photo = await picture(sample);
    await answered(
      api.POST('/v1/products/{product_id}/images', {
        params: { path: { product_id: product.id } },
        body: { file: '' },
        bodySerializer: () => {
          const form = new FormData();
          form.append('file', photo, `${sample.key}.webp`);
          return form;
        },
      }),
    );
  };
  await Promise.all(products.data.map(show));
  return begun;
}

/** Takes the import of the samples back as a whole; what somebody has made something else of stays. */
export async function removeSamples(api: StoreSide['api']) {
  const { data: operations } = await answered(api.GET('/v1/operations', { params: { query: { kind: 'shopify_products', state: 'succeeded', limit: 100 } } }));
  for (const { id } of operations.data.filter(({ undo_until }) => undo_until !== null)) {
    // oxlint-disable-next-line no-await-in-loop
    const { data: rows } = await answered(api.GET('/v1/operations/{operation_id}/rows', { params: { path: { operation_id: id }, query: { limit: 1 } } }));
    if (!rows.data[0]?.handle?.startsWith(handle)) continue;
    // oxlint-disable-next-line no-await-in-loop
    const begun = await answered(api.POST('/v1/operations/{operation_id}/undo', { params: { path: { operation_id: id }, header: { 'Idempotency-Key': idempotencyKey() } } }));
    // oxlint-disable-next-line no-await-in-loop
    await ended(api, begun.data.id);
    return begun;
  }
  // The import can be taken back no more: what there is of it is deleted.
  const begun = await answered(api.POST('/v1/products/bulk', { params: { header: { 'Idempotency-Key': idempotencyKey() } }, body: { action: 'delete', filter: { tag: sampleTag } } }));
  await ended(api, begun.data.id);
  return begun;
}
