package search

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Bounds of what is counted of searches.
const (
	mostUnwritten = 20_000 // words that wait in a process to be written down
	mostDaily     = "2000" // of a store, in a day; more are not taken in
	keptDays      = "90"
	longestWords  = 100
	mostDigits    = 5 // in a row: more are a number that is somebody's
)

// Counter counts for merchants what shoppers look for, and how often they find nothing. It
// counts in memory, and writes down from time to time: what a process that is killed has not
// written is lost.
type Counter struct {
	db *postgres.DB

	mu     sync.Mutex
	counts map[postgres.StoreRef]map[string]tally
	size   int
}

type tally struct{ count, empty int64 }

// NewCounter makes a Counter for the stores behind a door.
func NewCounter(db *postgres.DB) *Counter {
	return &Counter{db: db, counts: map[postgres.StoreRef]map[string]tally{}}
}

// countable are a query's words as they are counted; empty for what may be about a person: an
// address, or a long number.
func (q Query) countable() string {
	words := q.Typed()
	digits := 0
	for _, c := range words {
		if digits++; c < '0' || c > '9' {
			digits = 0
		}
		if digits > mostDigits {
			return ""
		}
	}
	if strings.Contains(q.Text, "@") || len(words) > longestWords || len(words) < 2 {
		return ""
	}
	return words
}

// Searched notes that somebody looked for something in the context's store.
func (c *Counter) Searched(ctx context.Context, q Query, found bool) {
	words := q.countable()
	ref, ok := postgres.StoreFrom(ctx)
	if c == nil || words == "" || !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.counts[ref]
	if of == nil {
		of = map[string]tally{}
		c.counts[ref] = of
	}
	t, known := of[words]
	if !known {
		if c.size >= mostUnwritten {
			return
		}
		c.size++
	}
	t.count++
	if !found {
		t.empty++
	}
	of[words] = t
}

// Days begin at midnight in UTC. Words are written in their order, so that two processes do
// not wait for each other.
const countSQL = `
with old as (delete from searches where day < (now() at time zone 'UTC')::date - ` + keptDays + `)
insert into searches as s (day, words, count, empty)
select (now() at time zone 'UTC')::date, n.words, n.count, n.empty from unnest($1::text[], $2::bigint[], $3::bigint[]) n(words, count, empty)
where (select count(*) from searches where day = (now() at time zone 'UTC')::date) < ` + mostDaily + `
	or exists (select from searches k where k.day = (now() at time zone 'UTC')::date and k.words = n.words)
order by n.words
on conflict (day, words) do update set count = s.count + excluded.count, empty = s.empty + excluded.empty`

// Flush writes down what was counted. What cannot be written is dropped, as counting must not
// fill the memory while a cell is away.
func (c *Counter) Flush(ctx context.Context) error {
	c.mu.Lock()
	counts := c.counts
	c.counts, c.size = map[postgres.StoreRef]map[string]tally{}, 0
	c.mu.Unlock()
	var failed error
	for ref, of := range counts {
		words := make([]string, 0, len(of))
		for w := range of {
			words = append(words, w)
		}
		slices.Sort(words)
		count, empty := make([]int64, len(words)), make([]int64, len(words))
		for i, w := range words {
			count[i], empty[i] = of[w].count, of[w].empty
		}
		err := c.db.InStore(postgres.WithStore(ctx, ref), func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, countSQL, words, count, empty)
			return err
		})
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("write down searches: %w", err))
		}
	}
	return failed
}

var searchesSQL = postgres.List{
	From: `(select s.words, sum(s.count) as count, sum(s.empty) as empty, max(s.day) as last, sum(case when $4::bool then s.empty else s.count end) as times
		from searches s where s.day > (now() at time zone 'UTC')::date - $3::int group by s.words) t where t.times > 0`,
	Each:  `json_build_object('words', t.words, 'count', t.count, 'without_results', t.empty, 'last_searched_on', t.last)`,
	Order: `t.times desc, t.words`, After: `(-t.times, t.words) > (-split_part($2, ':', 1)::numeric, substr($2, position(':' in $2) + 1) collate "C")`,
	Position: `t.times || ':' || t.words`,
}.SQL()

// Searches is a page of what was looked for in so many days, the most frequent first; or of
// what nothing was found for, by how often.
func Searches(ctx context.Context, db *postgres.DB, days int, empty bool, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, searchesSQL, limit, after, days, empty)
}
