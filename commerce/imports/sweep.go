package imports

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// orphaned is how old a file must be that no operation is for: a request may still be
// about to ask for its import.
const orphaned = time.Hour

// sweep deletes files that no operation is for: those of requests that were broken off between keeping the file and asking for its import.
func (s *Service) sweep(ctx context.Context, tx *postgres.Tx) error {
	keys := map[string]string{} // by operation
	var ids []string
	for key, err := range s.files.Keys(ctx, folder(tx.Store)) {
		if err != nil {
			return fmt.Errorf("sweep files: %w", err)
		}
		id := strings.TrimSuffix(path.Base(key), ".csv")
		keys[id], ids = key, append(ids, id)
	}
	rows, err := tx.Query(ctx, `select id from operations where id = any($1)`, ids)
	if err != nil {
		return fmt.Errorf("sweep files: %w", err)
	}
	known, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("sweep files: %w", err)
	}
	var gone []string
	for id, key := range keys {
		if !slices.Contains(known, id) && s.olderThan(ctx, key, orphaned) {
			gone = append(gone, key)
		}
	}
	if len(gone) > 0 {
		journal.Job(tx, catalog.JobDeleteFiles, catalog.DeleteFilesArgs{Keys: gone})
	}
	return nil
}

func (s *Service) olderThan(ctx context.Context, key string, age time.Duration) bool {
	file, err := s.files.Open(ctx, key)
	if err != nil {
		return false // it has gone meanwhile
	}
	defer func() { _ = file.Close() }() // it was only looked at
	return clock.Now().Sub(file.Modified) > age
}
