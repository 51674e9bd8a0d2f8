import type { ComponentType } from 'react';
import { type Permission, useStore } from '../session/store';
import { Forbidden } from './trouble';

/** A screen for those who may see it. */
export function permitted(Screen: ComponentType, needs?: Permission): ComponentType {
  if (!needs) return Screen;
  return function Permitted() {
    return useStore().can(needs) ? <Screen /> : <Forbidden permission={needs} />;
  };
}
