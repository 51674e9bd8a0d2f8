import { type RouteObject, createBrowserRouter } from 'react-router';
import { permitted } from './page/permitted';
import { Broken, Missing } from './page/trouble';
import { type Screen, screens } from './screens';
import { SessionGate, StoreGate, Waiting } from './session/gates';
import type { Permission } from './session/store';

const lazily = (load: Screen['load'], needs?: Permission) => async () => ({ Component: permitted((await load()).default, needs) });

const ofAStore: RouteObject[] = [
  ...screens.map(({ path, load, needs }): RouteObject => (path === '' ? { index: true, lazy: lazily(load, needs) } : { path, lazy: lazily(load, needs) })),
  { path: '*', Component: Missing },
];

export const router = createBrowserRouter(
  [
    {
      HydrateFallback: Waiting,
      ErrorBoundary: Broken,
      children: [
        { path: 'sign-in', lazy: lazily(() => import('./session/welcome')) },
        {
          Component: SessionGate,
          children: [
            { index: true, lazy: lazily(() => import('./session/stores')) },
            { path: ':store', Component: StoreGate, children: [{ ErrorBoundary: Broken, children: ofAStore }] },
          ],
        },
      ],
    },
  ],
  { basename: '/admin' },
);
