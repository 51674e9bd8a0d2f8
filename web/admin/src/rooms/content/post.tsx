import { EntryScreen } from './entry';

/** A post of the blog. */
export default function Post() {
  return <EntryScreen kind="post" />;
}
