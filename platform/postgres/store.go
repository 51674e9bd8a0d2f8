package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/principal"
)

// StoreRef says where a store's data is: which cell, which of its logins, which schema.
type StoreRef struct {
	ID     string         // sto_…
	Mode   principal.Mode // which side of the store the schema holds
	Cell   string
	Login  int
	Schema int64 // the schema's number
}

// ErrNoStore is returned by InStore when the context names no store.
var ErrNoStore = errors.New("postgres: no store in the context")

type storeKey struct{}

// WithStore returns a context whose store is ref, in the log too.
func WithStore(ctx context.Context, ref StoreRef) context.Context {
	ctx = observability.WithStore(ctx, ref.ID)
	return context.WithValue(ctx, storeKey{}, ref)
}

// StoreFrom is the store of the context, if it has one.
func StoreFrom(ctx context.Context) (StoreRef, bool) {
	ref, ok := ctx.Value(storeKey{}).(StoreRef)
	return ref, ok && ref.Schema > 0 && ref.Cell != ""
}

// SchemaName is the name of a schema by its number.
func SchemaName(number int64) string { return fmt.Sprintf("s_%d", number) }

// RoleName is the name of the role that a store acts as. Roles belong to the whole
// Postgres server, where several cells may live, so it carries the cell's name.
func RoleName(cell string, number int64) string { return fmt.Sprintf("%s_s_%d", cell, number) }

// LoginName is the name of a cell's login.
func LoginName(cell string, login int) string { return fmt.Sprintf("%s_login_%d", cell, login) }

// Roles that every cell of a server shares.
const (
	OwnerRole = "stoa_owner" // owns every store's tables; nobody signs in as it
	StoreRole = "stoa_store" // what all stores' roles may do in a cell's own tables
)
