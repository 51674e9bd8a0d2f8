package themes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Shown is the design that changes are made to, as the API shows it.
type Shown struct {
	Design
	Unpublished bool       `json:"unpublished_changes"`
	PublishedAt *time.Time `json:"published_at"` // nil while the shop has the standard design
	Dead        []Dead     `json:"dead_links"`

	Version int `json:"-"`
}

// Read is the design that changes are made to.
func Read(ctx context.Context, from postgres.Source) (Shown, error) {
	s, err := read(ctx, from)
	if err != nil {
		return Shown{}, err
	}
	d := s.design()
	return Shown{Design: d, Unpublished: s.Draft != nil, PublishedAt: s.PublishedAt, Dead: d.refs().dead(s.Targets), Version: s.version}, nil
}

// List are the themes that there are, in the colours that they have in this store.
func List(ctx context.Context, from postgres.Source) ([]Theme, error) {
	s, err := read(ctx, from)
	if err != nil {
		return nil, err
	}
	return Themes(s.Accent), nil
}

// Update changes the draft by a merge patch, and makes one where there is none. What was
// published stays as it is.
func Update(ctx context.Context, tx *postgres.Tx, meant int, patch json.RawMessage) error {
	s, err := lockAt(ctx, tx, meant)
	if err != nil {
		return err
	}
	before := s.design()
	after, err := merge.Patched(before, patch)
	if err != nil {
		return fmt.Errorf("change theme: %w", err)
	}
	wrong := after.check(s.Accent)
	if err := after.refs().exist(ctx, tx, before.refs(), wrong); err != nil {
		return err
	}
	if err := wrong.OrNil(); err != nil {
		return err
	}
	if same(before, after) {
		return nil
	}
	return s.write(ctx, tx, &after, before, after)
}

// same says whether two designs are written alike.
func same(a, b Design) bool {
	one, _ := json.Marshal(a) // designs are always written
	other, _ := json.Marshal(b)
	return bytes.Equal(one, other)
}

// write keeps a draft, or none, and notes that the design changed.
func (s *state) write(ctx context.Context, tx *postgres.Tx, draft *Design, before, after Design) error {
	if _, err := tx.Exec(ctx, `update settings set theme_draft = $1, theme_version = theme_version + 1 where id = 1`, draft); err != nil {
		return fmt.Errorf("keep the draft of the theme: %w", err)
	}
	journal.SettingsUpdated(ctx, tx, "theme_draft")
	journal.Audit(ctx, tx, journal.Entry{Action: "theme.update", ObjectID: tx.Store.ID, Before: before, After: after})
	return nil
}

// Discard gives the draft up, for what was published last.
func Discard(ctx context.Context, tx *postgres.Tx, meant int) error {
	s, err := lockAt(ctx, tx, meant)
	if err != nil {
		return err
	}
	if s.Draft == nil {
		return nil
	}
	before := *s.Draft
	s.Draft = nil
	return s.write(ctx, tx, nil, before, s.design())
}

// published is what undoing a publication goes by.
type published struct {
	Before   *Design    `json:"before"`
	BeforeAt *time.Time `json:"before_at"`
	After    Design     `json:"after"`
}

// Publish has shoppers see the draft. Its colours have to be readable with the store's accent of
// now; what it names and is gone since is left out.
func Publish(ctx context.Context, tx *postgres.Tx, meant int) error {
	s, err := lockAt(ctx, tx, meant)
	if err != nil {
		return err
	}
	if s.Draft == nil {
		return problem.New(problem.Conflict, "nothing_to_publish", "There are no changes that are not published.")
	}
	if err := s.Draft.check(s.Accent).OrNil(); err != nil {
		return err
	}
	now := clock.Now()
	kept, err := json.Marshal(published{s.Published, s.PublishedAt, *s.Draft})
	if err != nil {
		return fmt.Errorf("keep the theme of before: %w", err)
	}
	if err := show(ctx, tx, s.Draft, &now, nil); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "theme.publish", ObjectID: tx.Store.ID, Before: s.Published, After: s.Draft, Kept: kept})
	return nil
}

// show has shoppers see a design, and keeps a draft beside it.
func show(ctx context.Context, tx *postgres.Tx, design *Design, at *time.Time, draft *Design) error {
	_, err := tx.Exec(ctx, `update settings set theme = theme || jsonb_build_object('design', $1::jsonb, 'published_at', $2::timestamptz), theme_draft = $3,
		theme_version = theme_version + 1 where id = 1`, design, at, draft)
	if err != nil {
		return fmt.Errorf("publish the theme: %w", err)
	}
	stores.Touch(tx)
	journal.SettingsUpdated(ctx, tx, "theme")
	return nil
}

// Unpublish takes a publication back: shoppers see what they saw before, and what was published
// is a draft again.
func Unpublish(ctx context.Context, tx *postgres.Tx, _ string, kept json.RawMessage) error {
	var was published
	if err := json.Unmarshal(kept, &was); err != nil {
		return fmt.Errorf("read the theme of before: %w", err)
	}
	s, err := lock(ctx, tx)
	if err != nil {
		return err
	}
	if s.Published == nil || !same(*s.Published, was.After) || s.Draft != nil {
		return problem.New(problem.Conflict, "changed_since", "The theme was changed since.")
	}
	if err := show(ctx, tx, was.Before, was.BeforeAt, &was.After); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "theme.unpublish", ObjectID: tx.Store.ID, Before: was.After, After: was.Before})
	return nil
}
