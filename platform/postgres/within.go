package postgres

import (
	"context"
	"errors"
	"fmt"
)

// Within is the database as a transaction of a store has it: what is run in the store is a
// part of that transaction, and what is read there is read as it sees it. So an effect that
// takes several transactions can be tried as one, which is rolled back.
func (db *DB) Within(tx *Tx) *DB {
	return &DB{config: db.config, control: db.control, cells: db.cells, within: tx}
}

// nested runs fn as a part of the transaction, and takes back what it did when it fails.
func (tx *Tx) nested(ctx context.Context, fn func(context.Context, *Tx) error) error {
	if _, err := tx.Exec(ctx, "savepoint nested"); err != nil {
		return fmt.Errorf("set a savepoint: %w", err)
	}
	err := fn(ctx, tx)
	end := "release savepoint nested"
	if err != nil {
		end = "rollback to savepoint nested; release savepoint nested"
	}
	if _, failed := tx.Exec(ctx, end); failed != nil {
		return errors.Join(err, fmt.Errorf("end a savepoint: %w", failed))
	}
	return err
}
