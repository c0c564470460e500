package handler

import "github.com/supermax-hpo/supermax/shared/study"

// An Observation is a command that was carried out, or refused.
type Observation struct {
	Command string       // plan, ask, tell, …
	State   *study.State // as it is now: to be read, and not to be kept; nil: it is not known
	Lost    int          // appends that another process was faster with
}
