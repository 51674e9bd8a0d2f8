package stores

import (
	"context"

	"github.com/stoacommerce/stoa/platform/jobs"
)

// Register has the workers keep stores and the control database in step.
func (s *Service) Register(w *jobs.Workers) {
	w.Handle(JobAnnounce, jobs.With(s.Announce))
	w.Handle(JobTell, jobs.With(s.TellNews))
	w.Handle(JobMirror, func(ctx context.Context, _ jobs.Job) error { return s.Mirror(ctx) })
}
