package imports

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// imageTries is how often an image is tried whose address does not answer.
const imageTries = 3

// askImages has further images of an operation fetched, as many as there may be at a
// time: a store's other work must not wait behind all of them. The operation is locked.
func (s *Service) askImages(ctx context.Context, tx *postgres.Tx, operationID string) error {
	rows, err := tx.Query(ctx, `
		update import_images set asked = true where image_id in (
			select image_id from import_images where operation_id = $1 and not asked order by line
			limit greatest($2 - (select count(*) from import_images where operation_id = $1 and asked), 0))
		returning image_id`, operationID, s.config.Pictures)
	if err != nil {
		return fmt.Errorf("ask for images of %s: %w", operationID, err)
	}
	images, err := pgx.CollectRows(rows, pgx.RowTo[catalog.ImageID])
	if err != nil {
		return fmt.Errorf("ask for images of %s: %w", operationID, err)
	}
	for _, id := range images {
		journal.Job(tx, JobImage, imageArgs{id})
	}
	return nil
}

// wanted is an image that is to be fetched.
type wanted struct {
	id          catalog.ImageID
	operationID string
	line        int
	productID   catalog.ProductID
	variants    []catalog.VariantID
	address     string
}

// FetchImage fetches an image of the context's store. An image that cannot be had is a
// warning on its row. It can be done again.
func (s *Service) FetchImage(ctx context.Context, id catalog.ImageID, attempt int) error {
	w := wanted{id: id}
	var o *operations.Operation
	err := s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		err := tx.QueryRow(ctx, `select a.operation_id, a.line, a.product_id, a.variant_ids, i.source_url
			from import_images a join images i on i.id = a.image_id where a.image_id = $1`, id).
			Scan(&w.operationID, &w.line, &w.productID, &w.variants, &w.address)
		if err != nil {
			return err
		}
		o, err = operations.Read(ctx, tx, w.operationID, false)
		return err
	})
	if errors.Is(err, postgres.ErrNoRows) || problem.Is(err, "not_found") {
		return nil // done, or gone with its product or operation
	}
	if err != nil {
		return fmt.Errorf("read image %s: %w", id, err)
	}
	ctx = o.As(ctx)
	if attempt > imageTries {
		// Whoever tried it may have been killed by it, which it must not do again.
		return s.giveUp(ctx, w, "It was tried several times and could not be fetched.")
	}
	data, err := s.fetch(ctx, w.address)
	if err != nil {
		if ctx.Err() != nil || attempt < imageTries && passing(err) {
			return fmt.Errorf("fetch image %s: %w", id, err)
		}
		return s.giveUp(ctx, w, egress.Explain(err))
	}
	picture, err := s.pictures.Store(ctx, id, bytes.NewReader(data))
	if problem.As(err) != nil {
		return s.giveUp(ctx, w, reason(err))
	}
	if err != nil {
		return err
	}
	return s.finishImage(ctx, w, picture)
}

// passing says whether what kept an address from answering may pass.
func passing(err error) bool {
	var status egress.Status
	if errors.As(err, &status) {
		return status >= 500 || status == 429 || status == 408
	}
	return !errors.Is(err, egress.ErrRefused)
}

// finishImage shows a picture that was fetched, and has the next one fetched.
func (s *Service) finishImage(ctx context.Context, w wanted, picture catalog.Picture) error {
	shown := false
	err := s.settle(ctx, w, func(ctx context.Context, tx *postgres.Tx, _ *operations.Operation) (err error) {
		if shown, err = s.catalog.FinishImage(ctx, tx, w.productID, picture); err != nil || !shown {
			return err
		}
		return s.catalog.ShowImage(ctx, tx, w.productID, w.id, w.variants)
	})
	// Where the image is another's doing by now, or a commit broke off that may have
	// happened all the same, the files are the image's. Only without it they are nobody's.
	if err != nil || shown || catalog.HasImage(ctx, s.db, w.id) {
		return err
	}
	return s.pictures.Remove(ctx, picture)
}

// giveUp notes that an image cannot be had.
func (s *Service) giveUp(ctx context.Context, w wanted, why string) error {
	return s.settle(ctx, w, func(ctx context.Context, tx *postgres.Tx, o *operations.Operation) error {
		if err := s.catalog.FailImage(ctx, tx, w.productID, w.id); err != nil {
			return err
		}
		return remark(ctx, tx, o, w.line, message(Warning, "image_not_fetched", columnNames[colImage][0], "%s: %s", cut(w.address, 500), why))
	})
}

// settle takes an image off the list, and asks for the next. The operation is locked
// before the product, as by whoever puts products in.
func (s *Service) settle(ctx context.Context, w wanted, fn func(context.Context, *postgres.Tx, *operations.Operation) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		o, err := operations.Read(ctx, tx, w.operationID, true)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `delete from import_images where image_id = $1 and operation_id = $2`, w.id, w.operationID)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return nil // somebody else did it
		}
		if err := fn(ctx, tx, o); err != nil {
			return err
		}
		return s.askImages(ctx, tx, w.operationID)
	})
	if problem.Is(err, "not_found") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("settle image %s: %w", w.id, err)
	}
	return nil
}
