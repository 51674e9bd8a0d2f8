import type { Schemas } from '../../api/client';

type Kind = Schemas['ImportKind'];

/** The columns that an import knows, by the name that Shopify gives them and by others, which are in small letters. */
export const columns: Record<Kind, { names: string[]; needed: string[]; others: Record<string, string> }> = {
  shopify_products: {
    names: [
      'Handle',
      'Title',
      'Body (HTML)',
      'Vendor',
      'Product Category',
      'Type',
      'Tags',
      'Published',
      'Status',
      'Option1 Name',
      'Option1 Value',
      'Option2 Name',
      'Option2 Value',
      'Option3 Name',
      'Option3 Value',
      'Variant SKU',
      'Variant Barcode',
      'Variant Price',
      'Variant Compare At Price',
      'Cost per item',
      'Variant Inventory Tracker',
      'Variant Inventory Qty',
      'Variant Inventory Policy',
      'Variant Grams',
      'Variant Weight',
      'Variant Weight Unit',
      'Variant Requires Shipping',
      'Variant Taxable',
      'Unit Price Total Measure',
      'Unit Price Total Measure Unit',
      'Image Src',
      'Image Position',
      'Image Alt Text',
      'Variant Image',
      'Gift Card',
      'SEO Title',
      'SEO Description',
    ],
    needed: ['Handle', 'Title'],
    others: {
      'url handle': 'Handle',
      description: 'Body (HTML)',
      'published on online store': 'Published',
      sku: 'Variant SKU',
      barcode: 'Variant Barcode',
      'weight value (grams)': 'Variant Grams',
      'weight unit for display': 'Variant Weight Unit',
      'inventory tracker': 'Variant Inventory Tracker',
      'inventory quantity': 'Variant Inventory Qty',
      'continue selling when out of stock': 'Variant Inventory Policy',
      price: 'Variant Price',
      'compare-at price': 'Variant Compare At Price',
      'requires shipping': 'Variant Requires Shipping',
      'charge tax': 'Variant Taxable',
      'product image url': 'Image Src',
      'variant image url': 'Variant Image',
    },
  },
  shopify_customers: {
    names: [
      'Email',
      'First Name',
      'Last Name',
      'Phone',
      'Accepts Email Marketing',
      'Accepts SMS Marketing',
      'Note',
      'Tags',
      'Tax Exempt',
      'Tax Exempt Reason',
      'Default Address Name',
      'Default Address First Name',
      'Default Address Last Name',
      'Default Address Company',
      'Default Address Address1',
      'Default Address Address2',
      'Default Address Zip',
      'Default Address City',
      'Default Address Province Code',
      'Default Address Province',
      'Default Address Country Code',
      'Default Address Phone',
      'Default Address Tax ID',
    ],
    needed: ['Email'],
    others: {
      'accepts marketing': 'Accepts Email Marketing',
      company: 'Default Address Company',
      address1: 'Default Address Address1',
      address2: 'Default Address Address2',
      city: 'Default Address City',
      'province code': 'Default Address Province Code',
      province: 'Default Address Province',
      'country code': 'Default Address Country Code',
      zip: 'Default Address Zip',
    },
  },
};

/** A file to begin with. */
export const samples: Record<Kind, string> = {
  shopify_products: [
    'Handle,Title,Body (HTML),Vendor,Tags,Status,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Inventory Tracker,Variant Inventory Qty',
    'linen-shirt,Linen shirt,<p>Woven in one piece.</p>,Example Mill,"summer, linen",active,Size,S,LS-S,49.00,shopify,5',
    'linen-shirt,,,,,,,M,LS-M,49.00,shopify,3',
    'scarf,Scarf,,Example Mill,winter,draft,Title,Default Title,SC-1,29.00,shopify,9',
    '',
  ].join('\n'),
  shopify_customers: [
    'First Name,Last Name,Email,Accepts Email Marketing,Default Address Address1,Default Address Zip,Default Address City,Default Address Country Code,Phone,Note,Tags',
    'Ada,Example,ada@example.com,no,1 Sample Street,10115,Berlin,DE,+49 30 0000000,,press',
    '',
  ].join('\n'),
};

/** Custom fields as they are named where columns are mapped. */
export const fieldColumn = ({ resource, key }: Pick<Schemas['FieldDefinition'], 'resource' | 'key'>) => `${resource}.metafields.custom.${key}`;

/** What a column is taken for, if nobody says otherwise: by its name, or as the custom field that is called so. */
export function meaningOf(kind: Kind, column: string, fields: Schemas['FieldDefinition'][]): string {
  const name = column.trim();
  const low = name.toLowerCase();
  const { names, others } = columns[kind];
  const known = names.find((each) => each.toLowerCase() === low) ?? others[low];
  if (known) return known;
  const [, resource, key] = /^(?:.*\()?(product|variant|customer)\.metafields\.[^.()]+\.([^.()]+)\)?$/i.exec(name) ?? [];
  const field = fields.find((each) => (key ? each.resource === resource?.toLowerCase() && each.key === key.toLowerCase().replaceAll('-', '_') : each.name.toLowerCase() === low || each.key === low));
  return field ? fieldColumn(field) : '';
}
