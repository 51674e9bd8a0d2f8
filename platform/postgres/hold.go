package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/problem"
)

// Strength is how a row is held.
type Strength string

// The strengths. Only the first keeps others from referring to the row as well, as is needed
// where it is to be deleted.
const (
	ForUpdate      Strength = "update"
	ForNoKeyUpdate Strength = "no key update"
)

// Hold reads the row of an ID into a model and keeps others from changing it until the
// transaction ends. What it is called is told where there is none, as a problem.
func (tx *Tx) Hold(ctx context.Context, row any, id any, what string, strength Strength) error {
	err := tx.Bun.NewSelect().Model(row).Where("?TablePKs = ?", id).For(string(strength)).Scan(ctx)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return problem.Missing(what)
	case err != nil:
		return fmt.Errorf("read %s %v: %w", what, id, err)
	}
	return nil
}
