package search

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Where words find more than are ranked, the best of the latest come first and then all others,
// the latest first: each once, however the pages are cut, and whether or not words that the
// latest have are looked up in the index.
func TestRankingHasAnEnd(t *testing.T) {
	some, latestRanked, latestLooked = `8`, `4`, `6`
	p := testdb.Open(t)
	ctx := p.Store(t)
	err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `insert into products (id, handle, title, description, vendor, status)
			select 'prod_' || lpad(n::text, 2, '0'), 'thing-' || n, case when n in (17, 19) then 'Oak' else 'Chair' end, '', case when n in (17, 19) then 'Chair' else 'Oak' end, 'active' from generate_series(1, 20) n
			union all select 'prod_00rare' || n, 'rare-' || n, repeat('Ash ', 4 - n) || 'table', '', '', 'active' from generate_series(1, 3) n`)
		if err != nil {
			return err
		}
		return Reindex(ctx, tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	walk := func(words string, size int) (list []string) {
		after := ""
		for {
			asked := Asked{Query: Parse(words)}
			var args Arguments
			from, where := asked.From(&args)
			raw, err := p.DB.JSON(ctx, `select coalesce(json_agg(json_build_array(product_id, position) order by n), '[]') from (`+Best(from, where, words, after, args.Put(size)+`::int`, &args)+`) b`, args...)
			if err != nil {
				t.Fatal(err)
			}
			var page [][2]string
			if err := json.Unmarshal(raw, &page); err != nil {
				t.Fatal(err)
			}
			for _, row := range page {
				list, after = append(list, row[0]), row[1]
			}
			if len(page) < size {
				return list
			}
		}
	}
	// Of the latest six, four are ranked: 20 to 17, of which 19 and 17 have the word in their titles.
	want := []string{"prod_19", "prod_17", "prod_20", "prod_18"}
	for n := 16; n >= 1; n-- {
		want = append(want, fmt.Sprintf("prod_%02d", n))
	}
	for _, latestProbed = range []string{`6`, `1000`} { // oak is common, or is not
		for _, size := range []int{1, 3, 4, 30} {
			if got := walk("oak", size); !slices.Equal(got, want) {
				t.Errorf("by pages of %d, with %s probed: %v, want %v", size, latestProbed, got, want)
			}
		}
	}
	if got := walk("ash", 2); !slices.Equal(got, []string{"prod_00rare1", "prod_00rare2", "prod_00rare3"}) {
		t.Errorf("few are all ranked: %v", got)
	}
}
