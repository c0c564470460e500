package handler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// A command is a call that changes a study: its name on the wire and what decides it.
type command[Req, Reply any] struct {
	name   string
	decide func(*study.State, time.Time, Req) (Reply, []study.Event, error)
}

// The commands. A process of any function can decide each of them, see [deciders].
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

// A decider decides a command's request from its JSON and returns the reply's JSON.
type decider func(s *study.State, now time.Time, request []byte) (reply []byte, events []study.Event, err error)

// deciders are the commands by their names.
var deciders = map[string]decider{
	planCommand.name:        planCommand.fromJSON,
	askCommand.name:         askCommand.fromJSON,
	tellCommand.name:        tellCommand.fromJSON,
	heartbeatCommand.name:   heartbeatCommand.fromJSON,
	releaseSlotCommand.name: releaseSlotCommand.fromJSON,
	checkCommand.name:       checkCommand.fromJSON,
	promoteCommand.name:     promoteCommand.fromJSON,
	finishCommand.name:      finishCommand.fromJSON,
	resumeCommand.name:      resumeCommand.fromJSON,
	stopCommand.name:        stopCommand.fromJSON,
}

// fromJSON is the command's [decider]. What it cannot read a newer program wrote.
func (c command[Req, Reply]) fromJSON(s *study.State, now time.Time, request []byte) ([]byte, []study.Event, error) {
	req, err := protocol.Decode[Req](bytes.NewReader(request))
	if err != nil {
		return nil, nil, err
	}
	reply, events, err := c.decide(s, now, req)
	if err != nil {
		return nil, nil, err
	}
	data, err := json.Marshal(reply)
	if err != nil {
		return nil, nil, fmt.Errorf("write reply: %w", err)
	}
	return data, events, nil
}
