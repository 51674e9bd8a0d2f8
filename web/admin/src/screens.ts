import {
  IconApi,
  IconArticle,
  IconBrush,
  IconBuildingStore,
  IconChartBar,
  IconDiscount,
  IconFilePencil,
  IconGift,
  IconHistory,
  IconHome,
  IconKey,
  IconListSearch,
  IconNews,
  IconPackage,
  IconPlus,
  IconReceipt,
  IconSettings,
  IconTimelineEvent,
  IconUpload,
  IconUser,
  IconUserPlus,
  IconUsers,
  IconUsersGroup,
  IconWebhook,
  IconWorld,
} from '@tabler/icons-react';
import type { ComponentType } from 'react';
import type { Permission } from './session/store';
import type { useShellWords } from './shell/words';

type Words = ReturnType<typeof useShellWords>;
type Icon = typeof IconHome;

export type Section = keyof Words['sections'];

type Entry = { name: keyof Words['screens'] } & ({ section: Section; icon: Icon } | { under: string });

export type Screen = {
  path: string;
  /** What one must be allowed to see it; others are told so, and find it in no menu. */
  needs?: Permission;
  /** Its entry in the menu: at the top of a section, or under another screen, whose path that is. */
  menu?: Entry;
  /** Whether it has the whole window, without the menu around it. */
  alone?: boolean;
  load: () => Promise<{ default: ComponentType }>;
};

/** Every screen of a store, a line each, in the order of the menu. */
export const screens: Screen[] = [
  { path: '', menu: { section: 'sell', name: 'home', icon: IconHome }, load: () => import('./rooms/home/home') },
  { path: 'orders', needs: 'orders:read', menu: { section: 'sell', name: 'orders', icon: IconReceipt }, load: () => import('./rooms/orders/orders') },
  { path: 'orders/:order', needs: 'orders:read', load: () => import('./rooms/orders/order') },
  { path: 'orders/:order/edit', needs: 'orders:write', load: () => import('./rooms/orders/edit') },
  { path: 'drafts', needs: 'orders:read', menu: { under: 'orders', name: 'drafts' }, load: () => import('./rooms/drafts/drafts') },
  { path: 'drafts/new', needs: 'orders:write', load: () => import('./rooms/drafts/new') },
  { path: 'drafts/:draft', needs: 'orders:read', load: () => import('./rooms/drafts/draft') },
  { path: 'returns', needs: 'orders:read', menu: { under: 'orders', name: 'returns' }, load: () => import('./rooms/returns/returns') },
  { path: 'carts', needs: 'orders:read', menu: { under: 'orders', name: 'carts' }, load: () => import('./rooms/carts/carts') },
  { path: 'carts/:cart', needs: 'orders:read', load: () => import('./rooms/carts/cart') },
  { path: 'products', needs: 'products:read', menu: { section: 'sell', name: 'products', icon: IconPackage }, load: () => import('./rooms/products/products') },
  { path: 'products/new', needs: 'products:write', load: () => import('./rooms/products/new') },
  { path: 'products/grid', needs: 'products:write', load: () => import('./rooms/products/grid') },
  { path: 'products/:product', needs: 'products:read', load: () => import('./rooms/products/product') },
  { path: 'collections', needs: 'products:read', menu: { under: 'products', name: 'collections' }, load: () => import('./rooms/collections/collections') },
  { path: 'collections/new', needs: 'products:write', load: () => import('./rooms/collections/collection') },
  { path: 'collections/:collection', needs: 'products:read', load: () => import('./rooms/collections/collection') },
  { path: 'categories', needs: 'products:read', menu: { under: 'products', name: 'categories' }, load: () => import('./rooms/categories/categories') },
  { path: 'stock', needs: 'inventory:read', menu: { under: 'products', name: 'stock' }, load: () => import('./rooms/inventory/inventory') },
  { path: 'stock/count', needs: 'inventory:write', load: () => import('./rooms/inventory/count') },
  { path: 'transfers', needs: 'inventory:read', menu: { under: 'products', name: 'transfers' }, load: () => import('./rooms/transfers/transfers') },
  { path: 'price-lists', needs: 'products:read', menu: { under: 'products', name: 'priceLists' }, load: () => import('./rooms/pricelists/pricelists') },
  { path: 'price-lists/:list', needs: 'products:read', load: () => import('./rooms/pricelists/pricelist') },
  { path: 'gift-cards', needs: 'gift_cards:read', menu: { under: 'products', name: 'giftCards' }, load: () => import('./rooms/giftcards/giftcards') },
  { path: 'gift-cards/:card', needs: 'gift_cards:read', load: () => import('./rooms/giftcards/giftcard') },
  { path: 'reviews', needs: 'reviews:read', menu: { under: 'products', name: 'reviews' }, load: () => import('./rooms/reviews/reviews') },
  { path: 'exchange', needs: 'operations:read', menu: { under: 'products', name: 'exchange' }, load: () => import('./rooms/exchange/exchange') },
  { path: 'exchange/import', needs: 'imports:write', load: () => import('./rooms/exchange/import') },
  { path: 'exchange/:operation', needs: 'operations:read', load: () => import('./rooms/exchange/operation') },
  { path: 'customers', needs: 'customers:read', menu: { section: 'sell', name: 'customers', icon: IconUsers }, load: () => import('./rooms/customers/customers') },
  { path: 'customers/:customer', needs: 'customers:read', load: () => import('./rooms/customers/customer') },
  { path: 'groups', needs: 'customers:read', menu: { under: 'customers', name: 'groups' }, load: () => import('./rooms/groups/groups') },
  { path: 'erasures', needs: 'personal_data:read', menu: { under: 'customers', name: 'erasures' }, load: () => import('./rooms/erasures/erasures') },
  { path: 'promotions', needs: 'promotions:read', menu: { section: 'sell', name: 'promotions', icon: IconDiscount }, load: () => import('./rooms/promotions/promotions') },
  { path: 'promotions/new', needs: 'promotions:write', load: () => import('./rooms/promotions/new') },
  { path: 'promotions/:promotion', needs: 'promotions:read', load: () => import('./rooms/promotions/promotion') },
  { path: 'analytics', needs: 'analytics:read', menu: { section: 'sell', name: 'analytics', icon: IconChartBar }, load: () => import('./rooms/analytics/analytics') },
  { path: 'theme', needs: 'content:read', menu: { section: 'shop', name: 'theme', icon: IconBuildingStore }, load: () => import('./rooms/theme/theme') },
  { path: 'theme/edit', needs: 'content:read', alone: true, load: () => import('./rooms/theme/editor') },
  { path: 'pages', needs: 'content:read', menu: { under: 'theme', name: 'pages' }, load: () => import('./rooms/content/pages') },
  { path: 'pages/new', needs: 'content:write', load: () => import('./rooms/content/page') },
  { path: 'pages/:entry', needs: 'content:read', load: () => import('./rooms/content/page') },
  { path: 'blog', needs: 'content:read', menu: { under: 'theme', name: 'blog' }, load: () => import('./rooms/content/posts') },
  { path: 'blog/new', needs: 'content:write', load: () => import('./rooms/content/post') },
  { path: 'blog/:entry', needs: 'content:read', load: () => import('./rooms/content/post') },
  { path: 'menus', needs: 'content:read', menu: { under: 'theme', name: 'menus' }, load: () => import('./rooms/content/menus') },
  { path: 'domains', needs: 'domains:read', menu: { under: 'theme', name: 'domains' }, load: () => import('./rooms/domains/domains') },
  { path: 'access', needs: 'settings:read', menu: { under: 'theme', name: 'access' }, load: () => import('./rooms/domains/access') },
  { path: 'languages', needs: 'translations:read', menu: { under: 'theme', name: 'languages' }, load: () => import('./rooms/languages/languages') },
  { path: 'searches', needs: 'products:read', menu: { under: 'theme', name: 'searches' }, load: () => import('./rooms/languages/searches') },
  { path: 'settings', needs: 'store:read', menu: { section: 'shop', name: 'settings', icon: IconSettings }, load: () => import('./rooms/settings/settings') },
  { path: 'mails', needs: 'settings:read', menu: { under: 'settings', name: 'mails' }, load: () => import('./rooms/mails/mails') },
  { path: 'mails/:kind', needs: 'settings:read', load: () => import('./rooms/mails/mail') },
  { path: 'payments', needs: 'settings:read', menu: { under: 'settings', name: 'payments' }, load: () => import('./rooms/payments/payments') },
  { path: 'shipping', needs: 'settings:read', menu: { under: 'settings', name: 'shipping' }, load: () => import('./rooms/shipping/shipping') },
  { path: 'taxes', needs: 'settings:read', menu: { under: 'settings', name: 'taxes' }, load: () => import('./rooms/taxes/taxes') },
  { path: 'invoices', needs: 'settings:read', menu: { under: 'settings', name: 'invoices' }, load: () => import('./rooms/invoices/invoices') },
  { path: 'locations', needs: 'inventory:read', menu: { under: 'settings', name: 'locations' }, load: () => import('./rooms/locations/locations') },
  { path: 'fields', needs: 'settings:read', menu: { under: 'settings', name: 'fields' }, load: () => import('./rooms/fields/fields') },
  { path: 'plan', needs: 'usage:read', menu: { under: 'settings', name: 'plan' }, load: () => import('./rooms/plan/plan') },
  { path: 'staff', needs: 'staff:read', menu: { section: 'shop', name: 'staff', icon: IconUsersGroup }, load: () => import('./rooms/staff/staff') },
  { path: 'history', needs: 'audit:read', menu: { section: 'shop', name: 'audit', icon: IconHistory }, load: () => import('./rooms/audit/audit') },
  { path: 'account', load: () => import('./rooms/account/account') },
  { path: 'keys', needs: 'keys:read', menu: { section: 'build', name: 'keys', icon: IconKey }, load: () => import('./rooms/developers/keys') },
  { path: 'webhooks', needs: 'webhooks:read', menu: { section: 'build', name: 'webhooks', icon: IconWebhook }, load: () => import('./rooms/developers/webhooks') },
  { path: 'webhooks/:endpoint', needs: 'webhooks:read', load: () => import('./rooms/developers/webhook') },
  { path: 'events', needs: 'events:read', menu: { section: 'build', name: 'events', icon: IconTimelineEvent }, load: () => import('./rooms/developers/events') },
  { path: 'requests', needs: 'requests:read', menu: { section: 'build', name: 'requests', icon: IconListSearch }, load: () => import('./rooms/developers/requests') },
];

/** Whether one who may do what `can` says finds a screen in the menu, or in the palette. */
export const found = (can: (permission: Permission) => boolean) => (screen: Screen) => screen.menu !== undefined && (!screen.needs || can(screen.needs));

/** What can be begun from anywhere. */
export const actions: { name: keyof Words['actions']; path: string; needs: Permission; icon: Icon }[] = [
  { name: 'newProduct', path: 'products/new', needs: 'products:write', icon: IconPlus },
  { name: 'newDraft', path: 'drafts/new', needs: 'orders:write', icon: IconFilePencil },
  { name: 'newPromotion', path: 'promotions/new', needs: 'promotions:write', icon: IconDiscount },
  { name: 'newGiftCard', path: 'gift-cards?new=yes', needs: 'gift_cards:write', icon: IconGift },
  { name: 'newImport', path: 'exchange/import', needs: 'imports:write', icon: IconUpload },
  { name: 'customise', path: 'theme/edit', needs: 'content:write', icon: IconBrush },
  { name: 'newPage', path: 'pages/new', needs: 'content:write', icon: IconArticle },
  { name: 'newPost', path: 'blog/new', needs: 'content:write', icon: IconNews },
  { name: 'newDomain', path: 'domains?new=yes', needs: 'domains:write', icon: IconWorld },
  { name: 'inviteStaff', path: 'staff?invite=yes', needs: 'staff:write', icon: IconUserPlus },
  { name: 'newKey', path: 'keys?new=yes', needs: 'keys:write', icon: IconKey },
  { name: 'account', path: 'account', needs: 'store:read', icon: IconUser },
  { name: 'newWebhook', path: 'webhooks?new=yes', needs: 'webhooks:write', icon: IconApi },
];
