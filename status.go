// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// statusReporter tells the host on each change whether the exporter can deliver.
// Nothing that AWS says is permanent: somebody can mend it while the records wait.
type statusReporter struct {
	host component.Host

	mu       sync.Mutex
	identity error // the credentials are not proven, or may not write
	delivery error // calls fail
	failing  bool
}

func (s *statusReporter) reportIdentity(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identity = err
	s.report()
}

func (s *statusReporter) reportDelivery(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delivery = err
	s.report()
}

func (s *statusReporter) report() {
	problem := s.delivery
	if problem == nil {
		problem = s.identity
	}
	if (problem != nil) == s.failing {
		return
	}
	s.failing = problem != nil
	event := componentstatus.NewEvent(componentstatus.StatusOK)
	if problem != nil {
		event = componentstatus.NewRecoverableErrorEvent(problem)
	}
	componentstatus.ReportStatus(s.host, event)
}
