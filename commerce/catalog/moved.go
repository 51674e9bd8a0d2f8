package catalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Kind is a kind of thing that has a handle.
type Kind string

// The kinds.
const (
	KindProduct    Kind = "product"
	KindCategory   Kind = "category"
	KindCollection Kind = "collection"
)

// Leave notes that a thing had a handle, so that those who come by it are shown the way.
// It names the thing and not its next handle, so that nobody is sent from one to another.
// Who has a handle now comes before all who had it, and of those the last.
func Leave(ctx context.Context, tx *postgres.Tx, kind Kind, handle, id string) error {
	_, err := tx.Exec(ctx, `insert into former_handles (kind, handle, object_id) values ($1, $2, $3)
		on conflict (kind, handle) do update set object_id = excluded.object_id`, kind, handle, id)
	if err != nil {
		return fmt.Errorf("leave handle %s of %s: %w", handle, id, err)
	}
	return nil
}

var movedSQL = map[Kind]string{
	KindProduct: `select p.handle from former_handles f join products p on p.id = f.object_id
		where f.kind = 'product' and f.handle = $1 and not exists (select from products where handle = $1) and ` + Published,
	KindCategory: `select c.handle from former_handles f join categories c on c.id = f.object_id
		where f.kind = 'category' and f.handle = $1 and not exists (select from categories where handle = $1)`,
	KindCollection: `select c.handle from former_handles f join collections c on c.id = f.object_id
		where f.kind = 'collection' and f.handle = $1 and not exists (select from collections where handle = $1)`,
}

// Moved is the handle that a thing has now which once had another, for those whom the
// shop's reads tell that there is none of this handle. It is the problem that there is
// none where there never was, or where shoppers are not to see it.
func Moved(ctx context.Context, db *postgres.DB, kind Kind, handle string) (string, error) {
	raw, err := db.JSON(ctx, movedSQL[kind], handle)
	if errors.Is(err, postgres.ErrNoRows) {
		return "", problem.Missing(string(kind))
	}
	if err != nil {
		return "", fmt.Errorf("look for what was called %s: %w", handle, err)
	}
	return string(raw), nil
}
