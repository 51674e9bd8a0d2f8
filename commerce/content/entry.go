package content

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Kind is a kind of entry; entries of both lie in one table.
type Kind string

// The kinds. IDs begin with them.
const (
	Page Kind = "page"
	Post Kind = "post"
)

// Purposes are the pages that the law asks for, of which the shop's foot tells by itself.
var Purposes = []string{"legal_notice", "terms", "privacy", "withdrawal", "shipping"}

// Most is how many entries of both kinds a store has.
const Most = 2000

const (
	maxTitle   = 255
	maxBody    = 65535
	maxExcerpt = 1000
)

// entry is a row of contents in the words of the contract, and what the audit keeps of one.
type entry struct {
	bun.BaseModel `bun:"table:contents,alias:c" json:"-"`

	ID             string     `bun:"id,pk" json:"id"`
	Kind           Kind       `bun:"kind" json:"-"`
	Handle         string     `bun:"handle" json:"handle"`
	Title          string     `bun:"title" json:"title"`
	Body           string     `bun:"body" json:"body_html"`
	Excerpt        string     `bun:"excerpt" json:"excerpt"`
	Author         string     `bun:"author" json:"author"`
	ImageID        string     `bun:"image_id,nullzero" json:"image_id"`
	Purpose        string     `bun:"purpose" json:"purpose"`
	SEOTitle       string     `bun:"seo_title" json:"seo_title"`
	SEODescription string     `bun:"seo_description" json:"seo_description"`
	PublishedAt    *time.Time `bun:"published_at" json:"published_at"`
	Version        int        `bun:"version" json:"version"`
	CreatedAt      time.Time  `bun:"created_at" json:"-"`
	UpdatedAt      time.Time  `bun:"updated_at" json:"-"`
}

// told is the data of its events, in the contract's shape.
type told struct {
	ID          string     `json:"id"`
	Handle      string     `json:"handle"`
	Title       string     `json:"title"`
	PublishedAt *time.Time `json:"published_at"`
}

func (e *entry) told() told { return told{e.ID, e.Handle, e.Title, e.PublishedAt} }

// check names what is wrong with an entry, tidies it, and gives it a handle where it has none.
func (e *entry) check(ctx context.Context, tx *postgres.Tx) error {
	wrong := problem.New(problem.Unprocessable, "invalid_content", "The %s cannot be kept as it is.", e.Kind)
	Line(wrong, &e.Title, "/title", 1, maxTitle)
	Line(wrong, &e.Excerpt, "/excerpt", 0, maxExcerpt)
	Line(wrong, &e.Author, "/author", 0, maxTitle)
	Line(wrong, &e.SEOTitle, "/seo_title", 0, maxTitle)
	Line(wrong, &e.SEODescription, "/seo_description", 0, maxExcerpt)
	Clean(wrong, &e.Body, "/body_html", maxBody)
	if e.Purpose != "" && !slices.Contains(Purposes, e.Purpose) {
		wrong.At("/purpose", "enum", "The law asks for no such page.")
	}
	if e.Handle != "" && !catalog.ValidHandle(e.Handle) {
		wrong.At("/handle", "pattern", "It is made of lower-case letters and digits, with single hyphens in between.")
	}
	if e.PublishedAt != nil {
		at := e.PublishedAt.UTC().Truncate(time.Microsecond)
		e.PublishedAt = &at
	}
	if e.ImageID != "" {
		var there bool
		if err := tx.QueryRow(ctx, `select exists (select from images where id = $1 and product_id is null)`, e.ImageID).Scan(&there); err != nil {
			return fmt.Errorf("look for image %s: %w", e.ImageID, err)
		}
		if !there {
			wrong.At("/image_id", "unknown_reference", "There is no such image.")
		}
	}
	if err := wrong.OrNil(); err != nil || e.Handle != "" {
		return err
	}
	err := tx.QueryRow(ctx, `select $1::text || coalesce((
		select case n when 1 then '' else '-' || n end from generate_series(1, (select count(*) from contents where kind = $2) + 1) n
		where not exists (select from contents where kind = $2 and handle = $1 || case n when 1 then '' else '-' || n end) order by n limit 1), '')`,
		catalog.HandleFor(e.Title, string(e.Kind)), e.Kind).Scan(&e.Handle)
	if err != nil {
		return fmt.Errorf("find a free handle: %w", err)
	}
	return nil
}

// refused are the words for what Postgres refuses of an entry.
func (e *entry) refused(err error) error {
	var refused *pgconn.PgError
	switch {
	case !errors.As(err, &refused):
	case refused.ConstraintName == "contents_handle":
		return problem.New(problem.Conflict, "handle_taken", "The handle %q is taken.", e.Handle).At("/handle", "taken", "Another one has it.")
	case refused.ConstraintName == "contents_purpose":
		return problem.New(problem.Conflict, "purpose_taken", "Another page is the shop’s %s.", e.Purpose).At("/purpose", "taken", "Another page has it.")
	}
	return fmt.Errorf("keep %s %s: %w", e.Kind, e.ID, err)
}

// Create makes an entry of what the contract says of it.
func Create(ctx context.Context, tx *postgres.Tx, kind Kind, fields json.RawMessage) (string, error) {
	now := clock.Now()
	e := &entry{}
	if err := json.Unmarshal(fields, e); err != nil {
		return "", fmt.Errorf("read a new %s: %w", kind, err)
	}
	e.ID, e.Kind, e.Version, e.CreatedAt, e.UpdatedAt = ids.New(string(kind)), kind, 1, now, now
	if err := stores.Alone(ctx, tx); err != nil {
		return "", err
	}
	if err := bounded(ctx, tx); err != nil {
		return "", err
	}
	if err := e.check(ctx, tx); err != nil {
		return "", err
	}
	if _, err := tx.Bun.NewInsert().Model(e).Exec(ctx); err != nil {
		return "", e.refused(err)
	}
	journal.Event(ctx, tx, string(kind)+".created", e.ID, e.told())
	journal.Audit(ctx, tx, journal.Entry{Action: string(kind) + ".create", ObjectID: e.ID, After: e})
	return e.ID, nil
}

func bounded(ctx context.Context, tx *postgres.Tx) error {
	var count int
	if err := tx.QueryRow(ctx, `select count(*) from contents`).Scan(&count); err != nil {
		return fmt.Errorf("count pages: %w", err)
	}
	if count >= Most {
		return problem.New(problem.Unprocessable, "content_limit", "A store has at most %d pages and posts.", Most)
	}
	return nil
}

func lock(ctx context.Context, tx *postgres.Tx, kind Kind, id string) (*entry, error) {
	e := &entry{}
	if err := tx.Hold(ctx, e, id, string(kind), postgres.ForNoKeyUpdate); err != nil {
		return nil, err
	}
	if e.Kind != kind {
		return nil, problem.Missing(string(kind))
	}
	if e.PublishedAt != nil {
		at := e.PublishedAt.UTC()
		e.PublishedAt = &at
	}
	return e, nil
}

// Update changes an entry that has the version meant, zero being any, by a merge patch.
func Update(ctx context.Context, tx *postgres.Tx, kind Kind, id string, meant int, patch json.RawMessage) error {
	e, err := lock(ctx, tx, kind, id)
	if err != nil {
		return err
	}
	if err := problem.Outdated(e.Version, meant); err != nil {
		return err
	}
	after, err := merge.Patched(*e, patch)
	if err != nil {
		return fmt.Errorf("change %s: %w", id, err)
	}
	after.Kind, after.CreatedAt, after.UpdatedAt = e.Kind, e.CreatedAt, e.UpdatedAt
	if err := after.check(ctx, tx); err != nil {
		return err
	}
	if reflect.DeepEqual(*e, after) {
		return nil
	}
	after.Version, after.UpdatedAt = e.Version+1, clock.Now()
	if _, err := tx.Bun.NewUpdate().Model(&after).WherePK().Exec(ctx); err != nil {
		return after.refused(err)
	}
	if after.Handle != e.Handle {
		if err := catalog.Leave(ctx, tx, catalog.Kind(kind), e.Handle, id); err != nil {
			return err
		}
	}
	journal.Event(ctx, tx, string(kind)+".updated", id, after.told())
	journal.Audit(ctx, tx, journal.Entry{Action: string(kind) + ".update", ObjectID: id, Before: e, After: &after})
	return nil
}

// rows are those by which an entry can be brought back.
var rows = postgres.Part{Table: "contents", Of: "x.id = $1"}

// Delete deletes an entry that has the version meant; zero is any.
func Delete(ctx context.Context, tx *postgres.Tx, kind Kind, id string, meant int) error {
	e, err := lock(ctx, tx, kind, id)
	if err != nil {
		return err
	}
	if err := problem.Outdated(e.Version, meant); err != nil {
		return err
	}
	kept, err := tx.Keep(ctx, id, rows)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from contents where id = $1`, id); err != nil {
		return fmt.Errorf("delete %s: %w", id, err)
	}
	journal.Event(ctx, tx, string(kind)+".deleted", id, map[string]string{"id": id})
	journal.Audit(ctx, tx, journal.Entry{Action: string(kind) + ".delete", ObjectID: id, Before: e, Kept: kept})
	return nil
}

// Restore brings back an entry that was deleted.
func (k Kind) Restore(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	if err := stores.Alone(ctx, tx); err != nil {
		return err
	}
	if err := bounded(ctx, tx); err != nil {
		return err
	}
	if err := tx.Restore(ctx, kept, rows); err != nil {
		return err
	}
	e, err := lock(ctx, tx, k, id)
	if err != nil {
		return err
	}
	journal.Event(ctx, tx, string(k)+".created", id, e.told())
	journal.Audit(ctx, tx, journal.Entry{Action: string(k) + ".restore", ObjectID: id, After: e})
	return nil
}
