import { ActionIcon, Box, Button, Card, Drawer, Menu, Skeleton, Stack } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconCategory, IconChevronRight, IconDots, IconGripVertical, IconPackage, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { type DragEvent, useState } from 'react';
import { Link } from 'react-router';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { Page } from '../../page/page';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import classes from './categories.module.css';
import { CategoryForm } from './category';
import { type Node, flat, moved, useCategories } from './tree';
import { useCategoryWords } from './words';

type Side = 'before' | 'within' | 'after';
type Place = { parent_id: string | null; position: number };

/** The shelves of the shop: a tree that is dragged about. */
export default function Categories() {
  const w = useCategoryWords();
  const { can } = useStore();
  const categories = useCategories();
  const filters = useFilters('id', 'new');
  const { id, new: parent } = filters.values;
  const add = can('products:write') && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => filters.set({ new: 'yes' })}>
      {w.add}
    </Button>
  );
  const close = () => filters.set({ id: '', new: '' });
  const shown = categories.data?.all.find((node) => node.category.id === id)?.category;
  const isNew = parent !== '';
  return (
    <Page title={w.title} text={categories.data && categories.data.roots.length > 0 && can('products:write') ? w.text : undefined} actions={add} narrow>
      {categories.isLoadingError ? (
        <Trouble error={categories.error} retry={categories.refetch} />
      ) : (
        <Card padding={0}>
          {categories.isPending && (
            <Stack p="md">
              {[1, 2, 3, 4, 5].map((n) => (
                <Skeleton key={n} height={24} />
              ))}
            </Stack>
          )}
          {categories.data && (categories.data.roots.length === 0 ? <Empty icon={IconCategory} {...w.empty} action={add} /> : <Tree roots={categories.data.roots} open={(next) => filters.set({ id: next })} addBelow={(below) => filters.set({ new: below })} />)}
        </Card>
      )}
      <Drawer opened={isNew || shown !== undefined} onClose={close} position="right" size="lg" title={isNew ? w.new : shown?.name} closeOnClickOutside={false}>
        {isNew && <CategoryForm parent={parent === 'yes' ? null : parent} close={close} />}
        {!isNew && shown && <CategoryForm key={shown.id} category={shown} parent={shown.parent_id} close={close} />}
      </Drawer>
    </Page>
  );
}

type TreeProps = { roots: Node[]; open: (id: string) => void; addBelow: (id: string) => void };

function Tree({ roots, open, addBelow }: TreeProps) {
  const w = useCategoryWords();
  const everywhere = useWords();
  const { api, can, to } = useStore();
  const [folded, setFolded] = useState<string[]>([]);
  const [dragged, setDragged] = useState<Node>();
  const [over, setOver] = useState<{ id: string; side: Side }>();
  const writes = can('products:write');
  const path = (category: Schemas['Category']) => ({ category_id: category.id });
  const move = useWrite({
    undoable: true,
    said: everywhere.saved,
    ahead: ({ category, place }) => ({ key: ['categories'], to: (now: { all: Node[] }) => moved(now, category, place) }),
    write: ({ category, place }: { category: Schemas['Category']; place: Place }) => answered(api.PATCH('/v1/categories/{category_id}', { params: { path: path(category) }, body: place })),
  });
  const remove = useWrite({
    undoable: true,
    said: everywhere.deleted,
    write: (category: Schemas['Category']) => answered(api.DELETE('/v1/categories/{category_id}', { params: { path: path(category) } })),
  });
  const sisters = ({ category }: Node) => (category.parent_id === null ? roots : (flat(roots).find((node) => node.category.id === category.parent_id)?.children ?? []));
  const seen = (nodes: Node[]): Node[] => nodes.flatMap((node) => [node, ...(folded.includes(node.category.id) ? [] : seen(node.children))]);

  const side = (event: DragEvent): Side => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = (event.clientY - box.top) / box.height;
    return share < 0.28 ? 'before' : share > 0.72 ? 'after' : 'within';
  };
  // Nothing lies below itself.
  const may = (target: Node) => dragged !== undefined && !flat([dragged]).includes(target);
  const drop = (target: Node, where: Side) => {
    if (!dragged || !may(target)) return;
    if (where === 'within') {
      move.mutate({ category: dragged.category, place: { parent_id: target.category.id, position: target.children.length } });
      return;
    }
    const others = sisters(target).filter((node) => node !== dragged);
    move.mutate({ category: dragged.category, place: { parent_id: target.category.parent_id, position: others.indexOf(target) + (where === 'after' ? 1 : 0) } });
  };
  return (
    <div>
      {seen(roots).map((node) => {
        const { category, children, depth } = node;
        const at = sisters(node).indexOf(node);
        const step = (by: number) => move.mutate({ category, place: { parent_id: category.parent_id, position: at + by } });
        return (
          <Box
            key={category.id}
            className={classes.row}
            mod={{ drop: over?.id === category.id ? over.side : undefined, dragged: dragged === node }}
            draggable={writes}
            onDragStart={() => setDragged(node)}
            onDragEnd={() => {
              setDragged(undefined);
              setOver(undefined);
            }}
            onDragOver={(event: DragEvent) => {
              if (!may(node)) return;
              event.preventDefault();
              const where = side(event);
              if (over?.id !== category.id || over.side !== where) setOver({ id: category.id, side: where });
            }}
            onDragLeave={() => setOver(undefined)}
            onDrop={(event: DragEvent) => {
              event.preventDefault();
              drop(node, side(event));
            }}
          >
            {writes && <IconGripVertical size={16} className={classes.grip} aria-hidden />}
            <Box w={depth * 22} style={{ flexShrink: 0 }} />
            {children.length > 0 ? (
              <ActionIcon
                size="sm"
                aria-label={w.fold(category.name)}
                aria-expanded={!folded.includes(category.id)}
                onClick={() => setFolded((now) => (now.includes(category.id) ? now.filter((each) => each !== category.id) : [...now, category.id]))}
              >
                <IconChevronRight size={16} className={classes.fold} data-open={!folded.includes(category.id) || undefined} />
              </ActionIcon>
            ) : (
              <Box w={22} style={{ flexShrink: 0 }} />
            )}
            <button type="button" className={classes.name} onClick={() => open(category.id)}>
              {category.name}
            </button>
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon aria-label={w.actions(category.name)}>
                  <IconDots size={18} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => open(category.id)}>
                  {everywhere.edit}
                </Menu.Item>
                <Menu.Item component={Link} to={to(`products?category=${category.id}`)} leftSection={<IconPackage size={16} aria-hidden />}>
                  {w.products}
                </Menu.Item>
                {writes && (
                  <>
                    <Menu.Item leftSection={<IconPlus size={16} aria-hidden />} onClick={() => addBelow(category.id)}>
                      {w.addBelow}
                    </Menu.Item>
                    <Menu.Item leftSection={<IconArrowUp size={16} aria-hidden />} disabled={at === 0} onClick={() => step(-1)}>
                      {w.up}
                    </Menu.Item>
                    <Menu.Item leftSection={<IconArrowDown size={16} aria-hidden />} disabled={at === sisters(node).length - 1} onClick={() => step(1)}>
                      {w.down}
                    </Menu.Item>
                    <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} disabled={children.length > 0} title={children.length > 0 ? w.notEmpty : undefined} onClick={() => remove.mutate(category)}>
                      {everywhere.delete}
                    </Menu.Item>
                  </>
                )}
              </Menu.Dropdown>
            </Menu>
          </Box>
        );
      })}
    </div>
  );
}
