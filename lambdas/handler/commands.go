package handler

import (
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// A command is a call that changes a study: its name on the wire and what decides it.
type command[Req, Reply any] struct {
	name   string
	decide func(*study.State, time.Time, Req) (Reply, []study.Event, error)
}

// The commands. [do] carries them out.
var (
	planCommand        = command[protocol.StageRequest, protocol.PlanReply]{"plan", (*study.State).Plan}
	askCommand         = command[protocol.AskRequest, protocol.AskReply]{"ask", (*study.State).Ask}
	tellCommand        = command[protocol.TellRequest, protocol.TellReply]{"tell", (*study.State).Tell}
	heartbeatCommand   = command[protocol.HeartbeatRequest, protocol.HeartbeatReply]{"heartbeat", (*study.State).Heartbeat}
	releaseSlotCommand = command[protocol.ReleaseSlotRequest, protocol.ReleaseSlotReply]{"release-slot", (*study.State).ReleaseSlot}
	checkCommand       = command[protocol.StageRequest, protocol.CheckReply]{"check", (*study.State).Check}
	promoteCommand     = command[protocol.StageRequest, protocol.PromoteReply]{"promote", (*study.State).Promote}
	finishCommand      = command[protocol.StudyRequest, protocol.FinishReply]{"finish", (*study.State).Finish}
	resumeCommand      = command[protocol.ResumeRequest, protocol.ResumeReply]{"resume", (*study.State).Resume}
	stopCommand        = command[protocol.StopRequest, protocol.StopReply]{"stop", (*study.State).Stop}
)
