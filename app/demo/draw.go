package demo

import (
	"bytes"
	"context"
	"image/jpeg"
	"runtime"

	"golang.org/x/sync/semaphore"

	"github.com/stoacommerce/stoa/app/demo/still"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// jobDraw is the kind of the job that draws a picture; its arguments are a drawing.
const jobDraw = "demo.draw"

// How a picture is drawn before its sizes are made of it.
const (
	pixels  = 800 // its width
	quality = 94
)

// drawing is a picture that is to be drawn.
type drawing struct {
	Shop     string              `json:"shop"` // its address
	Handle   string              `json:"handle"`
	Nth      int                 `json:"nth"` // among the pictures of the good
	Image    catalog.ImageID     `json:"image"`
	Product  catalog.ProductID   `json:"product"`
	Variants []catalog.VariantID `json:"variants,omitempty"` // which it shows
}

// picture finds the picture; false when it is none of this program's, but of another
// version's.
func (d drawing) picture() (still.Picture, bool) {
	for _, s := range shops {
		for i := range s.goods {
			if s.birth.Address != d.Shop || s.goods[i].handle != d.Handle {
				continue
			}
			if all := s.goods[i].pictures(); d.Nth < len(all) {
				return all[d.Nth], true
			}
		}
	}
	return still.Picture{}, false
}

// Painter draws the pictures of the demo stores.
type Painter struct {
	DB       *postgres.DB
	Catalog  *catalog.Service
	Pictures *catalog.Pictures
}

// Register has the workers draw. They draw as many at a time as there are processors, so
// that the machine stays free for who looks at the shop.
func (p *Painter) Register(w *jobs.Workers) {
	hands := semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0)))
	w.Handle(jobDraw, jobs.With(func(ctx context.Context, d drawing) error {
		if err := hands.Acquire(ctx, 1); err != nil {
			return err
		}
		defer hands.Release(1)
		return p.draw(ctx, d)
	}))
}

// draw draws a picture and has it shown. It can be repeated.
func (p *Painter) draw(ctx context.Context, d drawing) error {
	what, found := d.picture()
	if !found {
		return p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			return p.Catalog.FailImage(ctx, tx, d.Product, d.Image)
		})
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, what.Draw(pixels), &jpeg.Options{Quality: quality}); err != nil {
		return err
	}
	picture, err := p.Pictures.Store(ctx, d.Image, &file)
	if err != nil {
		return err
	}
	shown := false
	err = p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if shown, err = p.Catalog.FinishImage(ctx, tx, d.Product, picture); err != nil || !shown {
			return err
		}
		return p.Catalog.ShowImage(ctx, tx, d.Product, d.Image, d.Variants)
	})
	// What was drawn for an image that was deleted meanwhile is nobody's. One that is shown
	// already keeps the files, which are the same.
	if err != nil || shown || catalog.HasImage(ctx, p.DB, d.Image) {
		return err
	}
	return p.Pictures.Remove(ctx, picture)
}
