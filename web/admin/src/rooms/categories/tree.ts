import { useQuery } from '@tanstack/react-query';
import { answered, type Schemas } from '../../api/client';
import { useStore } from '../../session/store';

type Category = Schemas['Category'];

/** A category where it stands in the tree. */
export type Node = { category: Category; depth: number; /** The names of those that it is within, and its own. */ path: string; children: Node[] };

/** All categories of the store, as a tree and one after the other as they are read. */
export function useCategories() {
  const { api } = useStore();
  return useQuery({
    queryKey: ['categories'],
    queryFn: async () => {
      const all: Category[] = [];
      for (let cursor: string | undefined; ; ) {
        // oxlint-disable-next-line no-await-in-loop
        const { data } = await answered(api.GET('/v1/categories', { params: { query: { limit: 100, ...(cursor && { cursor }) } } }));
        all.push(...data.data);
        if (!data.next_cursor) break;
        cursor = data.next_cursor;
      }
      return grown(all);
    },
  });
}

function grown(all: Category[]) {
  const roots = within(all, null, 0, '');
  return { roots, all: flat(roots) };
}

/** The tree with a category at another place: the one of a position below a parent. */
export function moved(tree: { all: Node[] }, { id }: Category, { parent_id, position }: { parent_id: string | null; position: number }) {
  const others = tree.all.map(({ category }) => category).filter((category) => category.id !== id);
  const gone = tree.all.find(({ category }) => category.id === id);
  const sisters = others.filter((category) => category.parent_id === parent_id).toSorted((a, b) => a.position - b.position);
  const order = sisters.toSpliced(position, 0, ...(gone ? [{ ...gone.category, parent_id }] : [])).map((category, n) => ({ ...category, position: n }));
  return grown([...others.filter((category) => category.parent_id !== parent_id), ...order]);
}

function within(all: Category[], parent: string | null, depth: number, path: string): Node[] {
  return all
    .filter((category) => category.parent_id === parent)
    .toSorted((a, b) => a.position - b.position)
    .map((category) => {
      const own = path ? `${path} › ${category.name}` : category.name;
      return { category, depth, path: own, children: within(all, category.id, depth + 1, own) };
    });
}

/** A tree, branch by branch. */
export function flat(nodes: Node[]): Node[] {
  return nodes.flatMap((node) => [node, ...flat(node.children)]);
}

/** Categories as a field offers them. */
export function useCategoryChoices() {
  return (useCategories().data?.all ?? []).map(({ category, path }) => ({ value: category.id, label: path }));
}
