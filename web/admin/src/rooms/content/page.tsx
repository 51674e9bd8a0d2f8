import { EntryScreen } from './entry';

/** A page. */
export default function Page() {
  return <EntryScreen kind="page" />;
}
