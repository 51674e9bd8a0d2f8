package imports

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Config bounds imports. Zero values have usable defaults.
type Config struct {
	MaxBytes int64         // of a file: 64 MB
	MaxRows  int           // of a file: 1 million
	Slice    time.Duration // how long a job works before it asks for the next: 10 s
	Batch    int           // products that go in by one transaction: 50
	Pictures int           // pictures of one import that are fetched at a time: 4

	// Egress says which addresses pictures may be fetched from. How large they may be, how
	// long they may take and how often they may lead elsewhere has usable defaults too.
	Egress egress.Options
}

func (c Config) withDefaults() Config {
	c.MaxBytes = cmp.Or(c.MaxBytes, 64<<20)
	c.MaxRows = cmp.Or(c.MaxRows, 1_000_000)
	c.Slice = cmp.Or(c.Slice, 10*time.Second)
	c.Batch = cmp.Or(c.Batch, 50)
	c.Pictures = cmp.Or(c.Pictures, 4)
	c.Egress.MaxBytes = cmp.Or(c.Egress.MaxBytes, 20<<20)
	c.Egress.Timeout = cmp.Or(c.Egress.Timeout, 20*time.Second)
	c.Egress.MaxRedirects = cmp.Or(c.Egress.MaxRedirects, 3)
	return c
}

// Service takes imports, and works on them.
type Service struct {
	db         *postgres.DB
	operations *operations.Service
	catalog    *catalog.Service
	customers  *customers.Service
	pictures   *catalog.Pictures
	files      files.Store
	config     Config
	log        *slog.Logger
	fetch      func(ctx context.Context, address string) ([]byte, error)
}

// New makes the service, and imports known as a kind of operations. Files are kept where
// pictures are.
func New(db *postgres.DB, ops *operations.Service, catalogue *catalog.Service, people *customers.Service, pictures *catalog.Pictures, config Config, log *slog.Logger) *Service {
	config = config.withDefaults()
	client := egress.NewClient(config.Egress)
	for kind, as := range kinds {
		ops.Add(operations.Kind{Name: kind, Job: JobWork, Noun: "import", Quiet: as.Preview, Ended: ended})
	}
	return &Service{
		db: db, operations: ops, catalog: catalogue, customers: people, pictures: pictures, files: pictures.Files, config: config, log: log,
		fetch: func(ctx context.Context, address string) ([]byte, error) { return egress.Fetch(ctx, client, address) },
	}
}

// Jobs of imports.
const (
	JobWork  = "imports.work"  // a slice of an import
	JobImage = "imports.image" // an image to be fetched
)

type imageArgs struct {
	ImageID catalog.ImageID `json:"image_id"`
}

// Register has the workers do the work.
func (s *Service) Register(w *jobs.Workers) {
	w.HandleSlow(JobWork, func(ctx context.Context, job jobs.Job) error {
		var args operations.Args
		if err := job.Decode(&args); err != nil {
			return err
		}
		return s.Work(ctx, args.OperationID, job.Attempt)
	})
	w.HandleSlow(JobImage, func(ctx context.Context, job jobs.Job) error {
		var args imageArgs
		if err := job.Decode(&args); err != nil {
			return err
		}
		return s.FetchImage(ctx, args.ImageID, job.Attempt)
	})
}
