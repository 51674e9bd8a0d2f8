package catalog

import (
	"context"
	"encoding/json"

	"github.com/stoacommerce/stoa/platform/jobs"
)

// Register has the workers delete the files of pictures that were deleted.
func (p *Pictures) Register(w *jobs.Workers) {
	w.Handle(JobDeleteFiles, func(ctx context.Context, job jobs.Job) error {
		var args json.RawMessage
		if err := job.Decode(&args); err != nil {
			return err
		}
		return p.DeleteFiles(ctx, args)
	})
}
