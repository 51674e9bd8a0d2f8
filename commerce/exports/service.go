package exports

import (
	"cmp"
	"context"
	"time"

	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Config bounds exports. Zero values have usable defaults.
type Config struct {
	Slice time.Duration // how long a job works before it asks for the next: 10 s
	Batch int           // things that are read by one statement: 200
	Part  int           // bytes after which a part of a file ends: 4 MB
	Keep  time.Duration // how long a file is kept: a day
}

// Jobs of exports.
const (
	JobWork   = "exports.work"   // a slice of an export
	JobExpire = "exports.expire" // a file has been kept long enough
)

// Service takes exports, and works on them.
type Service struct {
	db         *postgres.DB
	operations *operations.Service
	files      files.Store
	config     Config
}

// New makes the service, and its kinds of operations known.
func New(db *postgres.DB, ops *operations.Service, store files.Store, config Config) *Service {
	config.Slice = cmp.Or(config.Slice, 10*time.Second)
	config.Batch = cmp.Or(config.Batch, 200)
	config.Part = cmp.Or(config.Part, 4<<20)
	config.Keep = cmp.Or(config.Keep, 24*time.Hour)
	s := &Service{db, ops, store, config}
	for kind := range things {
		ops.Add(operations.Kind{Name: string(kind), Job: JobWork, Noun: "export", Ended: s.ended})
	}
	return s
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
	w.Handle(JobExpire, jobs.With(func(ctx context.Context, args operations.Args) error { return s.Expire(ctx, args.OperationID) }))
}
