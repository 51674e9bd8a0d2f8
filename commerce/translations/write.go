package translations

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/markup"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Change is what is to become of a thing's texts in a locale: by key, and nil takes a text
// away. What it says at Pointer is named below that.
type Change struct {
	ID      string
	Texts   map[string]*string
	Version int // that is meant; zero is any
	Pointer string
}

// maxEntry bounds a thing's texts in a locale, in bytes.
const maxEntry = 300_000

// event is the data of an event, in the contract's shape.
type event struct {
	ResourceID string   `json:"resource_id"`
	Resource   Resource `json:"resource"`
	Locale     string   `json:"locale"`
}

// audited is what the audit keeps of a thing's texts in a locale.
type audited struct {
	Locale string            `json:"locale"`
	Texts  map[string]string `json:"texts"`
}

// Write changes what things are called in a locale, all of it or nothing. It takes two
// statements for the things of each resource, however many there are.
func Write(ctx context.Context, tx *postgres.Tx, locale string, changes []Change) error {
	var list []offered
	if err := tx.QueryRow(ctx, `select locales from settings where id = 1`).Scan(&list); err != nil {
		return fmt.Errorf("read the locales: %w", err)
	}
	name, err := known(locale, list)
	if err != nil {
		return err
	}
	wrong := problem.New(problem.Unprocessable, "invalid_translation", "The translation cannot be kept as it is.")
	of := make([][]Change, len(kinds))
	seen := map[string]bool{}
	for _, change := range changes {
		k, at, ok := kindOf(change.ID)
		if !ok || !here(ctx, k, change.ID) {
			return missing(change)
		}
		if seen[change.ID] {
			wrong.At(change.Pointer+"/resource_id", "repeated", "It is there twice.")
		}
		seen[change.ID] = true
		of[at] = append(of[at], change)
	}
	for i, k := range kinds {
		if len(of[i]) == 0 {
			continue
		}
		if err := k.write(ctx, tx, name, of[i], wrong); err != nil {
			return err
		}
	}
	return wrong.OrNil()
}

// missing is the problem that there is no such thing: of one, the thing of the address; of
// several, one of them.
func missing(change Change) error {
	if change.Pointer == "" {
		return problem.Missing("thing that is translated")
	}
	return problem.New(problem.Unprocessable, "invalid_translation", "The translation cannot be kept as it is.").
		At(change.Pointer+"/resource_id", "not_found", "There is no such thing that is translated.")
}

// write changes things of one resource.
func (k kind) write(ctx context.Context, tx *postgres.Tx, locale string, changes []Change, wrong *problem.Problem) error {
	rows := make([]string, len(changes))
	for i, change := range changes {
		rows[i] = k.row(change.ID)
	}
	things, err := k.lock(ctx, tx, locale, rows)
	if err != nil {
		return err
	}
	var changed []thing
	var touched []string
	for i, change := range changes {
		t, ok := things[rows[i]]
		if !ok {
			return missing(change)
		}
		before := entry{}
		if t.Entry != nil {
			before = *t.Entry
		}
		if err := problem.Outdated(before.Version+1, change.Version); err != nil {
			return err
		}
		after := t.apply(before, change, wrong)
		if reflect.DeepEqual(before, after) || len(after.Texts)+len(before.Texts) == 0 {
			continue
		}
		after.Version++
		t.Entry = &after
		changed, touched = append(changed, t), append(touched, rows[i])
		journal.Event(ctx, tx, "translation.updated", change.ID, event{change.ID, k.resource, locale})
		journal.Audit(ctx, tx, journal.Entry{Action: "translation.update", ObjectID: change.ID, Before: audited{locale, before.Texts}, After: audited{locale, after.Texts}})
	}
	if len(changed) == 0 || len(wrong.Faults) > 0 {
		return nil
	}
	raw, err := json.Marshal(changed)
	if err != nil {
		return fmt.Errorf("keep translations: %w", err)
	}
	_, err = tx.Exec(ctx, `update `+k.table+` x set translations = x.translations || jsonb_build_object($1::text, w.entry)
		from jsonb_to_recordset($2::jsonb) w(id text, entry jsonb) where `+k.id+` = w.id`, locale, string(raw))
	var refused *pgconn.PgError
	if errors.As(err, &refused) && strings.HasSuffix(refused.ConstraintName, "_translations_check") {
		return problem.New(problem.Unprocessable, "invalid_translation", "In all locales together, the texts of one thing are too many.")
	}
	if err != nil {
		return fmt.Errorf("keep translations: %w", err)
	}
	if k.resource != "product" {
		return nil
	}
	if err := collections.Turn(ctx, tx, touched...); err != nil {
		return err
	}
	return search.Index(ctx, tx, touched...)
}

// lock reads things by the IDs of their rows, and keeps others from changing them until the
// transaction ends.
func (k kind) lock(ctx context.Context, tx *postgres.Tx, locale string, rows []string) (map[string]thing, error) {
	result, err := tx.Query(ctx, `select `+k.thingJSON()+` from `+k.table+` x where `+k.id+` = any($2) order by x.id for no key update of x`, locale, rows)
	if err != nil {
		return nil, fmt.Errorf("read translations: %w", err)
	}
	things := map[string]thing{}
	var t thing
	_, err = pgx.ForEachRow(result, []any{&t}, func() error {
		things[t.ID] = t
		t = thing{}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read translations: %w", err)
	}
	return things, nil
}

// apply merges a change into the texts that a thing has in a locale, without those whose keys
// the thing has no more.
func (t thing) apply(before entry, change Change, wrong *problem.Problem) entry {
	after := entry{Version: before.Version, Texts: map[string]string{}, Sources: map[string]string{}}
	has := map[string]written{}
	for _, w := range t.Texts {
		has[w.key] = w
		if said, ok := before.Texts[w.key]; ok {
			after.Texts[w.key], after.Sources[w.key] = said, before.Sources[w.key]
		}
	}
	for _, key := range slices.Sorted(maps.Keys(change.Texts)) {
		w, ok := has[key]
		at := change.Pointer + "/texts/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		switch given := change.Texts[key]; {
		case !ok:
			wrong.At(at, "unknown", "The thing has no such text.")
		case given == nil:
			delete(after.Texts, key)
			delete(after.Sources, key)
		default:
			after.Texts[key], after.Sources[key] = w.tidy(*given, wrong, at), digest(w.source)
		}
	}
	t.distinct(after, change, wrong)
	if raw, err := json.Marshal(after); err != nil || len(raw) > maxEntry {
		wrong.At(change.Pointer+"/texts", "maxLength", "In one locale, the texts of a thing may have %d bytes.", maxEntry)
	}
	return after
}

// tidy trims or cleans a translation and holds it to its bounds.
func (w written) tidy(given string, wrong *problem.Problem, at string) string {
	if w.form == "html" {
		given = markup.Clean(given)
	}
	given = strings.TrimSpace(given)
	switch n := utf8.RuneCountInString(given); {
	case n == 0:
		wrong.At(at, "required", "It is empty; null takes a translation away.")
	case n > w.most:
		wrong.At(at, "maxLength", "It has %d characters, and may have %d.", n, w.most)
	case strings.ContainsFunc(given, func(c rune) bool {
		return unicode.IsControl(c) && (w.form == "line" || !strings.ContainsRune("\n\r\t", c))
	}):
		wrong.At(at, "characters", "It holds characters that are not text.")
	}
	return given
}

// distinct checks that the choices of an option, as they are shown, are told apart.
func (t thing) distinct(after entry, change Change, wrong *problem.Problem) {
	shown := map[string]string{}
	for _, w := range t.Texts {
		parts := strings.Split(w.key, "/")
		if parts[0] != "options" {
			continue
		}
		parent := strings.Join(parts[:len(parts)-1], "/")
		said, ok := after.Texts[w.key]
		if !ok {
			said = w.source
		}
		other, repeated := shown[parent+"\n"+said]
		shown[parent+"\n"+said] = w.key
		if !repeated {
			continue
		}
		for _, key := range []string{w.key, other} {
			if change.Texts[key] != nil {
				wrong.At(change.Pointer+"/texts/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), "repeated", "Another one is called the same.")
				break
			}
		}
	}
}
