package themes

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Target is a thing that is named by a design or a menu.
type Target struct {
	Handle string `json:"handle"`
	Title  string `json:"title"`
	Hidden bool   `json:"hidden"` // shoppers cannot see it
}

// Dead is a place that names what is not there, or what shoppers cannot see.
type Dead struct {
	Pointer    string `json:"pointer"`
	ResourceID string `json:"resource_id"`
	State      string `json:"state"` // missing or hidden
}

// dead are the places of a list whose targets are dead.
func (r refs) dead(targets map[string]Target) []Dead {
	list := []Dead{}
	for _, ref := range r {
		switch t, there := targets[ref.id]; {
		case !there:
			list = append(list, Dead{ref.pointer, ref.id, "missing"})
		case t.Hidden:
			list = append(list, Dead{ref.pointer, ref.id, "hidden"})
		}
	}
	return list
}

// idsIn is the SQL of the IDs of all things that a document names.
func idsIn(doc string) string {
	return `array(select distinct v #>> '{}' from jsonb_path_query(` + doc + `, 'strict $.** ? (@.type() == "string" && @ like_regex "^(prod|cat|col|page|post|` + content.ImagePrefix + `)_[0-9a-z]{26}$")') v)`
}

// targetsOf is the SQL of the targets of IDs, by them.
func targetsOf(in translations.In, ids string) string {
	title := func(of, key, written string) string { return in.Text(in.Said(of+`.translations`), key, written) }
	return `(select coalesce(jsonb_object_agg(w.id, jsonb_build_object('handle', w.handle, 'title', w.title, 'hidden', w.hidden)), '{}') from (
		select p.id, p.handle, ` + title("p", "title", "p.title") + ` as title, not ` + catalog.Published + ` as hidden from products p where p.id = any(` + ids + `)
		union all select c.id, c.handle, ` + title("c", "name", "c.name") + `, false from categories c where c.id = any(` + ids + `)
		union all select o.id, o.handle, ` + title("o", "name", "o.title") + `, false from collections o where o.id = any(` + ids + `)
		union all select e.id, e.handle, ` + title("e", "title", "e.title") + `, e.published_at is null or e.published_at > now() from contents e where e.id = any(` + ids + `)
		union all select i.id, '', '', i.state <> 'ready' from images i where i.product_id is null and i.id = any(` + ids + `)) w)`
}

// state is what a store keeps of its looks.
type state struct {
	Accent      string            `json:"accent"`
	Draft       *Design           `json:"draft"`
	Published   *Design           `json:"published"`
	PublishedAt *time.Time        `json:"published_at"`
	Menus       map[string]*Menu  `json:"menus"`
	Targets     map[string]Target `json:"targets"`

	version int
}

var stateSQL = `select s.theme_version || E'\n' || json_build_object('accent', coalesce(s.theme->>'accent_color', ''), 'draft', s.theme_draft,
	'published', s.theme->'design', 'published_at', s.theme->>'published_at', 'menus', s.menus, 'targets', ` + targetsOf("", "n.ids") + `)
from settings s cross join lateral (select ` + idsIn(`jsonb_build_array(coalesce(s.theme_draft, s.theme->'design'), s.menus)`) + ` as ids offset 0) n where s.id = 1`

func read(ctx context.Context, from postgres.Source) (s state, err error) {
	o, err := from.Object(ctx, stateSQL)
	if o, err = postgres.Found(o, err, "theme"); err != nil {
		return s, err
	}
	if err := json.Unmarshal(o.Data, &s); err != nil {
		return s, fmt.Errorf("read theme: %w", err)
	}
	s.version = o.Version
	return s, nil
}

// lock reads it to be changed.
func lock(ctx context.Context, tx *postgres.Tx) (state, error) {
	if _, err := tx.Exec(ctx, `select from settings where id = 1 for no key update`); err != nil {
		return state{}, fmt.Errorf("lock settings: %w", err)
	}
	return read(ctx, tx)
}

// lockAt reads it to be changed as it was at a version.
func lockAt(ctx context.Context, tx *postgres.Tx, meant int) (state, error) {
	s, err := lock(ctx, tx)
	if err != nil {
		return state{}, err
	}
	return s, problem.Outdated(s.version, meant)
}

// design is the one that changes are made to.
func (s *state) design() Design {
	switch {
	case s.Draft != nil:
		return *s.Draft
	case s.Published != nil:
		return *s.Published
	}
	return Standard()
}

// exist notes of things that are named which of them are not there. Those that were named before
// may be gone: nobody is kept from changing something else by it.
func (r refs) exist(ctx context.Context, tx *postgres.Tx, before refs, wrong *problem.Problem) error {
	known := map[string]bool{}
	for _, ref := range before {
		known[ref.id] = true
	}
	var ids []string
	for _, ref := range r {
		if !known[ref.id] {
			ids = append(ids, ref.id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var raw []byte
	if err := tx.QueryRow(ctx, `select `+targetsOf("", "$1::text[]"), ids).Scan(&raw); err != nil {
		return fmt.Errorf("look for what is named: %w", err)
	}
	var targets map[string]Target
	if err := json.Unmarshal(raw, &targets); err != nil {
		return fmt.Errorf("look for what is named: %w", err)
	}
	for _, ref := range r {
		if _, there := targets[ref.id]; !there && !known[ref.id] {
			wrong.At(ref.pointer, "unknown_reference", "There is no such thing.")
		}
	}
	return nil
}
