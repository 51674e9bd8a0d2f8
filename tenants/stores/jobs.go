package stores

import (
	"context"

	"github.com/stoacommerce/stoa/platform/jobs"
)

// Register has the workers keep stores and the control database in step.
func (s *Service) Register(w *jobs.Workers) {
	w.Handle(JobAnnounce, func(ctx context.Context, job jobs.Job) error {
		var a Announcement
		if err := job.Decode(&a); err != nil {
			return err
		}
		return s.Announce(ctx, a)
	})
	w.Handle(JobMirror, func(ctx context.Context, _ jobs.Job) error { return s.Mirror(ctx) })
}
