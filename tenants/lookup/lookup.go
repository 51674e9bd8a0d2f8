// Package lookup finds things by a few letters of what they are called, of whatever kind they
// are: it owns how what is found is ranked and told, and how what the platform knows of a store
// is found, such as its staff. What the store sells and writes is found by commerce/lookup.
package lookup

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// within is how long a store may be looked through.
const within = 3 * time.Second

// Reference tells of a thing that was found.
type Reference struct {
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	Parent string `json:"parent"` // the ID of the thing that it is found in, if that is another
	Title  string `json:"title"`
	Detail string `json:"detail"` // what tells it from others of the same title
	Status string `json:"status"` // as its own operations call it; empty where it has none
	Rank   int    `json:"rank"`   // how well it answers: 0 is exactly what was looked for
}

// Kind is a kind of thing that can be found.
type Kind struct {
	Name       string
	Permission string // what one must be allowed to see those of it
	// SQL finds them: rows of id, parent, title, detail, status, near, which is the text that
	// they were found by and are ranked by, and late, by which those of a rank are sorted, the
	// largest first. Its parameters are those of Arguments.
	SQL string
}

// like makes a pattern of a text, whatever is in it.
var like = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Arguments are the parameters of kinds: $1 what is looked for, $2 how many of each kind, $3 the
// pattern of texts with it in them, $4 in small letters, $5 the pattern of texts that begin with
// it, $6 the number that it ends with, or null.
func Arguments(text string, most int) []any {
	digits := strings.TrimLeft(text[len(strings.TrimRight(text, "0123456789")):], "0")
	var number any
	if len(digits) > 0 && len(digits) <= 18 {
		number = digits
	}
	return []any{text, most, "%" + like.Replace(text) + "%", strings.ToLower(text), like.Replace(text) + "%", number}
}

// Statement finds things of some kinds, of which there is one at least.
func Statement(kinds []Kind) string {
	parts := make([]string, len(kinds))
	for i, kind := range kinds {
		parts[i] = fmt.Sprintf(`(select '%s' as kind, x.id, x.parent, x.title, x.detail, x.status, case
				when x.id = $1 or lower(x.near) = $4 then 0
				when starts_with(lower(x.near), $4) then 1
				when strpos(lower(x.near), ' ' || $4) > 0 then 2 else 3 end as rank, x.late
			from (%s) x order by rank, late desc, x.title, x.id limit $2::int)`, kind.Name, kind.SQL)
	}
	// Which of the parameters the kinds make use of is not the same for all.
	return `
with asked as (select $1::text, $2::int, $3::text, $4::text, $5::text, $6::bigint)
select coalesce(json_agg(json_build_object('kind', f.kind, 'id', f.id, 'parent', f.parent, 'title', f.title, 'detail', f.detail, 'status', f.status, 'rank', f.rank)
	order by f.rank, f.late desc, f.title, f.id), '[]')::text
from (` + strings.Join(parts, ` union all `) + `) f`
}

// InStore finds things in the context's store, in one statement, whose first parameters are those of Arguments.
func InStore(ctx context.Context, db *postgres.DB, kinds []Kind, args ...any) ([]Reference, error) {
	if len(kinds) == 0 {
		return nil, nil
	}
	raw, err := db.JSONWithin(ctx, within, Statement(kinds), args...)
	if err != nil {
		return nil, fmt.Errorf("look up in the store: %w", err)
	}
	return read(raw)
}

// platform are the kinds that the platform knows of a store: $7 is the store, $8 its side.
var platform = []Kind{
	{"staff_member", "staff:read", `
		select a.id, '' as parent, coalesce(nullif(a.name, ''), a.email) as title, a.email as detail, '' as status,
			case when a.name ilike $3 then a.name else a.email end as near, 0 as late
		from members m join accounts a on a.id = m.account_id where m.store_id = $7 and (a.id = $1 or a.name ilike $3 or a.email ilike $3)`},
	{"invitation", "staff:read", `
		select i.id, '' as parent, i.email as title, '' as detail, case when i.expires_at <= now() then 'expired' else 'pending' end as status, i.email as near, 0 as late
		from invitations i where i.store_id = $7 and i.accepted_at is null and i.revoked_at is null and (i.id = $1 or i.email ilike $3)`},
	{"role", "staff:read", `
		select r.id, '' as parent, r.name as title, r.description as detail, '' as status, r.name as near, 0 as late
		from roles r where r.store_id = $7 and (r.id = $1 or r.name ilike $3)`},
	{"api_key", "keys:read", `
		select k.id, '' as parent, k.name as title, k.prefix || '…' || k.last4 as detail,
			case when k.revoked_at is not null then 'revoked' when k.expires_at <= now() then 'expired' else 'active' end as status,
			case when k.name ilike $3 then k.name else k.last4 end as near, 0 as late
		from api_keys k where k.store_id = $7 and k.mode = $8 and (k.id = $1 or k.name ilike $3 or length($1) >= 4 and k.last4 = right($1, 4))`},
	{"domain", "domains:read", `
		select d.id, '' as parent, d.name as title, '' as detail, d.state as status, d.name as near, 0 as late
		from domains d where d.store_id = $7 and (d.id = $1 or d.name ilike $3)`},
}

// InPlatform finds what the platform knows of the context's store, of those kinds that may be
// seen, in one statement.
func InPlatform(ctx context.Context, db *postgres.DB, may func(permission string) bool, text string, most int) (found []Reference, err error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return nil, postgres.ErrNoStore
	}
	kinds := Seen(platform, may)
	if len(kinds) == 0 {
		return nil, nil
	}
	statement := strings.Replace(Statement(kinds), `$6::bigint)`, `$6::bigint, $7::text, $8::text)`, 1)
	err = db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var raw []byte
		if err := tx.QueryRow(ctx, statement, append(Arguments(text, most), ref.ID, string(ref.Mode))...).Scan(&raw); err != nil {
			return err
		}
		found, err = read(raw)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look up what the platform knows of %s: %w", ref.ID, err)
	}
	return found, nil
}

// Seen are the kinds of which one may see things.
func Seen(kinds []Kind, may func(permission string) bool) []Kind {
	return slices.DeleteFunc(slices.Clone(kinds), func(kind Kind) bool { return !may(kind.Permission) })
}

// Together puts what was found here and there in one order: what is of a kind stands together,
// the kind with the best answer first.
func Together(found ...[]Reference) []Reference {
	all := slices.Concat(found...)
	type place struct{ rank, at int }
	places := map[string]place{}
	for i, reference := range all {
		if best, ok := places[reference.Kind]; !ok || reference.Rank < best.rank {
			places[reference.Kind] = place{reference.Rank, i}
		}
	}
	slices.SortStableFunc(all, func(a, b Reference) int {
		return cmp.Or(cmp.Compare(places[a.Kind].rank, places[b.Kind].rank), cmp.Compare(places[a.Kind].at, places[b.Kind].at))
	})
	return all
}

func read(raw []byte) ([]Reference, error) {
	var found []Reference
	if err := json.Unmarshal(raw, &found); err != nil {
		return nil, fmt.Errorf("read what was found: %w", err)
	}
	return found, nil
}
