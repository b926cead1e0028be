### English. Every other language says the same keys; what it lacks is said in English.

language-name = English

## Frame

skip-to-content = Skip to the content
menu = Menu
navigation = Navigation
language = Language
theme = Theme
theme-auto = System
theme-light = Light
theme-dark = Dark
choose = Choose
sign-out = Sign out
nav-first-steps = First steps
nav-servers = Servers
nav-employees = Employees
nav-disabled = Disabled Employees in LDAP/AD
nav-conflicts = Synchronization Conflicts
nav-history = History
nav-settings = Settings

## What went wrong

problem-not-found = There is no such page
problem-refused = This cannot be done
problem-forbidden = This request came from another site
problem-failed = Something went wrong
problem-status = Status { $n }
problem-back = Back to the servers

## Words

count-people = { $n ->
    [one] { $n } person
   *[other] { $n } people
}
ago-now = just now
ago-minutes = { $n } min ago
ago-hours = { $n } h ago
ago-days = { $n ->
    [one] { $n } day ago
   *[other] { $n } days ago
}
until-now = in a moment
until-minutes = in { $n } min
until-hours = in { $n } h
until-days = { $n ->
    [one] in { $n } day
   *[other] in { $n } days
}
took-seconds = { $n } s
took-minutes = { $m } min { $s } s
pager = { $first }–{ $last } of { $total }
page-of = Page { $page } of { $pages }
page-previous = Previous
page-next = Next
pages = Pages
search = Search
search-hint = Name, number, e-mail
search-do = Search
everybody = everybody
nobody = Nobody
nobody-hint = Nobody is like that. Take back a filter, or search for less.
actions = Actions
never = never
name = Name
extension = Internal number
status = Status
updated = Updated
person = Person
changes = Changes
download = Download:
keep = Keep it
go-on = Go on
try-again = Try again
cancel = Cancel
report = Report
login = Login
password = Password

field-name = Name
field-extension = Internal number
field-mobile = Mobile
field-email = E-mail
field-photo = Photo
field-sip-password = SIP password
to-pbx = in MikoPBX
to-directory = in the domain
status-processed = processed
status-skipped = skipped
status-conflict = conflict
status-failed = failed
updated-pbx = inside MikoPBX
updated-directory = in the domain
updated-both = inside MikoPBX and in the domain
updated-nothing = nowhere
value-set = set
value-empty = empty
value-unreadable = could not be read
value-unusable = cannot be used
cleared = cleared
kind-active-directory = Active Directory
kind-openldap = OpenLDAP
kind-389ds = 389 Directory Server
kind-freeipa = FreeIPA
outcome-running = running
outcome-done = done
outcome-partial = partly done
outcome-halted = stopped by the guard
outcome-failed = failed
outcome-cancelled = cancelled
outcome-interrupted = interrupted
trigger-manual = by hand
trigger-automatic = automatic
trigger-apply = reviewed plan
trigger-undo = undo
trigger-demo = demonstration

## Signing in

sign-in = Sign in
sign-in-lead = Keeps employees of MikoPBX and people of the domain in step.
sign-in-with = Sign in with
sign-in-with-rollcall = Rollcall's own administrator
sign-in-with-mikopbx = MikoPBX
sign-in-wrong = Login or password is wrong.
sign-in-throttled = { $n ->
    [one] Too many tries. Wait { $n } second.
   *[other] Too many tries. Wait { $n } seconds.
}
setup-title = Who is the administrator?
setup-lead = Rollcall has just been installed. Choose the login and the password that open these pages.
setup-key = Open the address that `rollcall serve` printed when it started: it holds a key that only the administrator of this machine can read.
setup-do = Begin
password-hint = At least { $n } characters.
password-again = The password again
password-differs = The two passwords are not the same.

## First steps

first-steps-title = First steps
first-steps-lead = Six steps from nothing to automatic synchronisation. Nothing is written to either side before the fifth.
first-steps-done = Everything is set up. Rollcall keeps both sides in step from now on.
step-pbx = Connect the PBX
step-lead-pbx = Where MikoPBX is and how to sign in to it.
step-server = Add a server
step-lead-server = The AD/LDAP server: address, login, and which departments.
step-map = Map the attributes
step-lead-map = Which attribute of the domain is which field of an employee, and in which direction it goes.
step-request = Run request
step-lead-request = Shows every person as the domain gave them, and what a synchronisation would do. Nothing is written.
step-synchronize = Synchronize data
step-lead-synchronize = The first real run. People are joined, missing employees are created, numbers go back into the domain.
step-automatic = Switch automatic synchronisation on
step-lead-automatic = From now on Rollcall looks every few minutes, and stops by itself when something looks wrong.
step-done = done
step-look = Look at it
step-begin = Begin
step-not-yet = after step { $n }
step-ok = in order
step-failed = failed

## The PBX

pbx-title = Connect the PBX
pbx-lead = One MikoPBX per installation. It is tried as soon as it is saved.
pbx-url = Address
pbx-url-hint = http://127.0.0.1 on the PBX itself, else https://pbx.example.org
pbx-sign-in = Sign in
pbx-sign-in-local = Nothing: Rollcall runs on the PBX itself
pbx-sign-in-api-key = API key
pbx-sign-in-login = Web login and password
pbx-secret = API key or password
secret-is-set = (set; leave empty to keep it)
secret-hint = Kept encrypted, and never sent back to a browser.
trust = Certificates
trust-system = Trust the authorities of this system
trust-authority = Trust this authority (PEM)
trust-pinned = Trust exactly one certificate
trust-pem = Authority (PEM)
trust-fingerprint = SHA-256 fingerprint
trust-offered = The PBX shows a certificate with this fingerprint. Compare it with the one in the PBX before you accept it.
trust-accept = Trust exactly this certificate
save-and-test = Save and test
diagnosis = Diagnosis
pbx-works = The PBX answers, and everything Rollcall needs is allowed.
pbx-how = How to sign in
pbx-how-local = If Rollcall runs on the PBX itself, nothing is needed: MikoPBX trusts its own machine.
pbx-how-key = From another machine, make an API key in MikoPBX under System → API keys, with the right to read and change employees.
pbx-step-address = Address
pbx-step-certificate = Certificate
pbx-step-mikopbx = MikoPBX
pbx-step-sign-in = Sign-in
pbx-step-read-employees = Reading employees
pbx-step-read-taken-numbers = Reading taken numbers
pbx-step-change-employees = Changing employees

## Servers

servers-title = Servers
servers-lead = Every AD/LDAP server that Rollcall keeps in step with the PBX.
servers-add = Add a server
servers-no-pbx = No PBX is connected yet, so nothing can be synchronised.
servers-set-pbx = Connect the PBX
servers-stopped = The guard stopped something here, and it waits for you.
servers-stopped-look = Look at the plan
servers-look-first = The settings changed, or nobody has looked yet: automatic runs wait until you have seen a run request.
figure-people = people
figure-conflicts = conflicts
figure-disabled = disabled
last-run = Last run
next-run = Next run
running-now = running now
is-paused = paused
only-by-hand = only by hand
backing-off = { $n ->
    [one] { $n } failure in a row
   *[other] { $n } failures in a row
}
automatic = Automatic synchronisation
automatic-every = { $n ->
    [one] automatic, every minute
   *[other] automatic, every { $n } min
}
automatic-is-off = automatic: off
switch-on = Switch on
switch-off = Switch off
automatic-switch-on = Switch automatic synchronisation of { $name } on
automatic-switch-off = Switch automatic synchronisation of { $name } off
pause = Pause
resume = Go on
duplicate = Duplicate
remove = Remove
servers-automatic-on = { $name } is synchronised automatically from now on.
servers-automatic-on-look = { $name } is switched on. Its first automatic run waits until you have looked at a run request.
servers-automatic-off = { $name } is only synchronised by hand from now on.
servers-paused = { $name } is paused.
servers-resumed = { $name } goes on.
servers-duplicated = { $name } has the same settings and password. Change what is different.
servers-removed = { $name } is forgotten. Both sides stay as they are.
server-settings = Settings of the server
remove-title = Remove { $name }?
remove-forgets = { $n ->
    [0] Nobody is linked by this server.
    [one] Rollcall forgets the server, its password, and who { $n } person is in the PBX.
   *[other] Rollcall forgets the server, its password, and who { $n } people are in the PBX.
}
remove-stays-pbx = All employees stay in MikoPBX, with their numbers.
remove-stays-directory = Everything stays in the domain as it is.
remove-stays-history = The history of runs stays.
remove-again = If you add the server again, people are matched anew.
remove-do = Remove { $name }

## Run request, plans

request-title = Run request
request-lead = Shows every person as the domain gave them, and what a synchronisation would do. Nothing is written to either side.
request-do = Run request
request-again = Run request again
expect-fewer = Far fewer people than the last time are right
expect-fewer-hint = Without this a read that finds far fewer people is not believed, and nobody is taken for gone.
plans-title = Kept plans
plan-made = Made
plan-state = State
plan-guard = Guard
plan-halted = stopped
plan-fine = in order
plan-look = Look at it
plan-lead = Nothing has been written. This is what would happen, made
plan-state-pending = waits for you
plan-state-applied = carried out
plan-state-discarded = discarded
plan-apply = Apply this plan
plan-release = Apply it although the guard stopped it
plan-discard = Discard
plan-limits = Change the limits
plan-discarded = The plan is discarded. The next run counts anew.
release-sure = The guard stopped this plan because it touches unusually many people. Apply it all the same?
plan-kind-create = create
plan-kind-update = update in MikoPBX
plan-kind-write-back = write back to the domain
plan-kind-join = join
plan-kind-disabled = disabled
plan-kind-return = back again
plan-kind-conflict = conflict
plan-kind-unlink = unlink
plan-kind-unchanged = unchanged
plan-kind-left = still disabled
plan-kind-skip = skipped
what-happens = What happens
as-directory-gave = As the domain gave it
undo-preview-title = What an undo would do
partial-directory = The directory could not be read completely
partial-pbx = The PBX could not be read completely
held-back = Held back
guard-stopped = The guard stopped this
guard-look-first = Nobody has looked at a run request with these settings yet.
guard-trip = { $kind }: { $people }, with { $recent } in the automatic runs of the last 24 hours; the limit for { $linked } people is { $limit }.
guard-ways = Look at who is concerned. If it is right, apply it; if not, discard it and look for the cause in the domain. Nothing was written.
plan-nothing = Both sides are in step: there is nothing to carry out.
guard-fine = The guard has nothing against this plan.
guard-disables = People disabled
guard-clears = Values cleared
guard-renumberings = Numbers changed
guard-overwrites-in-pbx = Values overwritten in the PBX
guard-overwrites-in-directory = Values overwritten in the domain
guard-creations = Employees created
guard-lost-employees = Linked employees missing or replaced in the PBX

## Synchronize data

synchronize-title = Synchronize data
synchronize-lead = Reads both sides, and carries out whatever is due.
synchronize-do = Synchronize now
synchronize-first = This is the first run of this server. Look at a run request before: it shows who would be joined with whom.
runs-last = Last runs
run-started = Started
run-trigger = How it started
run-outcome = Outcome
phase-start = Starting
phase-read-directory = Reading the directory
phase-read-pbx = Reading the PBX
phase-look-up = Looking closer
phase-plan = Planning
phase-write = Writing
rate = { $n } a second
job-people = People
job-failed = The run failed
job-cancelled = Cancelled
job-cancelled-hint = What was sent was answered and is remembered. The next run does the rest.
cancelling = Cancelling
cancel-sure = Cancel the run? What is done stays done; the next run does the rest.

## Server

server-new = Add a server
tab-connection = Connection
tab-attributes = Attributes
tab-limits = Limits and schedule
save = Save
saved = Saved.
not-saved-yet = This is what you are working on. It is not saved yet.
forget-changes = Forget these changes
server-name = Name
server-name-hint = How you call it, for example “Head office”.
server-kind = Type
security = Security
security-none = none
security-starttls = StartTLS
security-ldaps = LDAPS (TLS)
port = Port
hosts = Addresses
hosts-hint = One per line: host name or address of equivalent servers. The first that answers is kept.
allow-plain = Allow a password over an unencrypted connection
allow-plain-hint = Only for a network you trust: the password and all data can be read on the way.
show-certificate = Show the server's certificate
bind-login = Login
bind-login-hint = A DN; in Active Directory also user@domain. An account of its own, with no more rights than it needs.
secret-typed = (typed; not saved yet)
scope = Who
base-dn = Domain root
tree-pick = Pick from the tree
ous = Only these subdivisions
ous-hint = One DN per line. Empty: the whole domain root.
exclude = Not these subdivisions
exclude-hint = One DN per line. Who is moved there counts as gone.
groups = Only members of these groups
groups-hint = One DN per line; membership in one is enough.
filter = Additional user filter
scope-count = { $n ->
    [one] These settings find { $n } person.
   *[other] These settings find { $n } people.
}
test-connection = Test
count-do = Count people
diagnosis-lead = “Test” tries what is entered, step by step, without saving it.
diagnosis-good = Everything is in order.
step-not-reached = not reached
ldap-step-name = Name
ldap-step-port = Port
ldap-step-tls = TLS
ldap-step-sign-in = Sign-in
ldap-step-domain-root = Domain root
ldap-step-subdivision = Subdivisions
ldap-step-groups = Groups
ldap-step-people = People
ldap-step-ids = Ids
ldap-step-attributes = Attributes
ldap-step-rights = Rights
certificate-shown = The server shows this certificate
certificate-subject = Issued to
certificate-issuer = Issued by
certificate-names = For
certificate-until = Valid until
certificate-compare = Compare the fingerprint with the one on the server itself before you accept it.
certificate-accept = Trust exactly this certificate
server-password-missing = The password is missing: it is the one of the login above.
tree-title = Pick from the tree
tree-lead = Take in the departments that Rollcall is to keep in step, and leave others out. Nothing is saved before you save the connection.
tree-done = Done
tree-back = Back to the connection
tree-roots = Domain roots
tree-root = This is the domain root
tree-up = Up
tree-none = There are no subdivisions here.
tree-more = There are more; write the DN of a missing one yourself.
tree-in = taken in
tree-out = left out
tree-include = Take in
tree-exclude = Leave out
tree-neither = Take back
look-failed = The live directory did not tell everything:
look-too-long = The directory takes too long to answer. The page is shown without its values.
look-again = Show values again
write-back = Update data in the domain
write-back-hint = Without this nothing is ever written to the domain.
region = Country of phone numbers
region-hint = Two letters. It makes +7 916 … out of 8 916 …
numbers = Internal numbers for new employees
numbers-hint = Ranges, for example 200-299, 400-449. Empty: as MikoPBX proposes.
account-state = Attribute that disables an account
account-state-hint = Beside the server's own flags: TRUE, 1, yes or disabled means disabled.
map-title = Field ↔ attribute
map-lead = A template such as {"{givenName} {sn}"} can only be read. An empty attribute leaves the field alone.
map-field = Field
map-attribute = Attribute
map-direction = Direction
map-both = Both sides changed
map-first = First meeting
map-samples = Three people, and may we write it?
map-clear = emptiness crosses
map-changed-look = After a change here the next automatic run waits until you have looked at a run request.
direction-both = both ways
direction-to-pbx = only to MikoPBX
direction-to-directory = only to the domain
direction-off = off
both-newest = the newest wins
both-directory = the domain wins
both-pbx = MikoPBX wins
both-ask = ask me
right-yes = may be written
right-no = may not be written
right-unknown = rights unknown
sample-picture = { $n ->
    [one] picture, { $n } byte
   *[other] picture, { $n } bytes
}
doubt-write-back = Nothing goes to the domain as long as “Update data in the domain” is off.
doubt-read-only = This can only be read: it is a template, the naming attribute, or a part of a phone number.
doubt-right = The account may not write this attribute in the domain. Give it the right, or choose “only to MikoPBX”.
doubt-sip-plain = The attribute holds the SIP password in plain text: whoever may read it there can use the phone. Use a special attribute that only this account may read.
doubt-no-name = Without a name nobody can be created.
doubt-newest = This server keeps one time for the whole person, so “newest” often cannot tell; then MikoPBX wins.
schedule-title = Schedule
schedule-lead = Each automatic run reads both sides and carries out whatever is due.
schedule-every = Minutes between runs
guard-title = Guard
guard-lead = A run that would touch more people than this stops before its first write and waits for you.
guard-floor = So many are never too many
guard-percent = Share of the linked people, %
guard-ceiling = More than so many are always too many
guard-now = With { $linked } linked people, a run stops above { $limit }.

## Employees, one person

employees-title = Employees
employees-lead = Everybody who is linked: a person of the domain and an employee of MikoPBX.
employees-none = Nobody is linked yet
employees-none-hint = The first synchronisation joins the people of the domain with the employees of MikoPBX, and creates whoever is missing.
everybody-show = Show everybody
all-servers = all servers
all-states = all states
server = Server
state = State
show = Show
in-step = in step
state-active = working
state-resting = resting
state-left = disabled or gone
state-disabled = disabled
state-expired = account expired
state-locked = locked for good
state-deleted = deleted
state-moved-out = moved out of scope
state-filtered-out = no longer in the filter
open-in-pbx = Open in MikoPBX
person-who = Who it is
photo-of = Photo of { $name }
employee-number = Employee in MikoPBX
person-id = ID in the domain
person-entry = Entry
person-conflicts = Waits for a decision
person-fields = Both sides
person-history = What was written
person-history-none = Nothing was written about this person yet.
field = Field
in-the-domain = In the domain
in-the-pbx = In MikoPBX
agreed = Agreed
since = Since
not-seen = not seen
standing-not-mapped = not mapped
standing-not-yet = not agreed yet
standing-held = left as it is
standing-moved = changed since
standing-differs = rests, though it differs
standing-agreed = agreed
when = When
what = What
because = Because
result = Result
run = Run
step = Step
why-title = Why it is so
why-active = Linked and kept in step.
why-unlinked = No employee is linked to this person.
why-left = In the domain since { $when }: { $reason }. The employee keeps working in MikoPBX, and nothing is carried over.
why-resting = Rests since { $when }: the employee looks like somebody else. Nothing is carried over until somebody decides.
why-held = { $field }: an administrator left the two sides as they are, although they differ.
why-moved = { $field }: one side changed since both last agreed. The next run looks at it.
why-differs = { $field }: both sides differ and rest so.
why-not-yet = { $field }: the two sides have not agreed on a value yet.
why-last-run = Run { $run } was the last with news: { $status }
conflict-kind-ambiguous-match = several employees fit
conflict-kind-back-under-new-id = back under a new ID?
conflict-kind-already-someones = the employee is somebody else's already
conflict-kind-both-changed = changed on both sides
conflict-kind-first-meeting = the two sides differ at their first meeting
conflict-kind-several-values = several values
conflict-kind-unusable = the value cannot be used
conflict-kind-no-name = no name
conflict-kind-number-taken = the number is taken
conflict-kind-number-wanted-twice = two people want the number
conflict-kind-number-swap = numbers would be swapped
conflict-kind-no-free-number = no free number
conflict-kind-employee-deleted = the employee was deleted
conflict-kind-not-the-same-employee = not the same employee
conflict-kind-refused = refused
conflict-kind-undone-join = the join was undone
step-what-create = Employee created
step-what-join = Joined
step-what-unlink = Link ended
step-what-leave = Disabled
step-what-return = Back again
step-state-intended = not known yet
step-state-done = done
step-state-refused = refused
step-state-unknown = sent, unanswered
step-state-undone = undone
cause-directory-changed = changed in the domain
cause-pbx-changed = changed in MikoPBX
cause-first-meeting = first meeting
cause-both-changed-directory-wins = changed on both sides, the domain wins
cause-both-changed-pbx-wins = changed on both sides, MikoPBX wins
cause-newest = changed on both sides, the newest wins
cause-decision = an administrator decided
cause-new-employee = new employee
cause-new-number = new number
cause-undo = undone
cause-undo-of = undo of step { $step } of run { $run }

## Disabled employees

disabled-lead = Their accounts in the domain are disabled or gone, and their employees in MikoPBX keep working. Delete an employee there and the row disappears; so it does when the account comes back.
disabled-none = Nobody who is disabled or gone has a working employee
disabled-none-hint = Whoever is disabled, expired, locked for good, deleted or moved away in the domain shows up here after the next run. Rollcall never deletes an employee; that is for you to decide.
reason = Reason
all-reasons = all reasons
mentions = What mentions the number
mentions-look = What mentions { $number }
mentions-page = Look it up in MikoPBX
mentions-number-of = In MikoPBX { $number } is the number of { $holder }.
mentions-number-held = MikoPBX still has the number { $number }, without a name.
mentions-number-free = Nothing in MikoPBX has the number { $number } any more.
mentions-not-known = Not known:
mentions-forwards-not-known = Where calls go on to is not known:
mentions-forwards-nothing = This phone does not forward calls.
mentions-forwards-unanswered = Calls that nobody answers go on
mentions-forwards-busy = Calls while busy go on
mentions-forwards-unavailable = Calls while the phone is away go on
mentions-employee-gone = The employee is gone from MikoPBX. The next run ends this row.
mentions-not-told = MikoPBX does not tell which incoming routes, queues, menus and other people's forwardings lead to this number. It refuses to delete an employee whom something leads to, and names it then.

## History, one run

history-lead = Every run: how it started, how it ended, what it changed.
history-none = Nothing ran yet
history-none-hint = Every run leaves its report here: who changed, where, and why.
history-none-such = There is no such run
history-show-all = Show all runs
all-triggers = all
run-took = Took
run-counts = People
run-would-be = Would have been
chart-says = { $n ->
    [one] { $n } run, with { $changes } writes. The higher the bar, the more was written.
   *[other] { $n } runs, with { $changes } writes altogether. The higher the bar, the more was written; the newest is on the right.
}
chart-bar = Run { $run }, { $when }: { $outcome }, writes: { $n }
counted-created = created
counted-joined = joined
counted-updated-in-pbx = updated in MikoPBX
counted-updated-in-directory = updated in the domain
counted-disabled = disabled
counted-restored = back again
counted-conflicts = in conflict
counted-failed = failed
counted-unchanged = unchanged
run-title = Run { $run }
run-watch = Watch it
run-error = Why it failed
run-halted-hint = Nothing was written. Look at the plan, then apply it or discard it.
run-read = Read
read-directory = { $n ->
    [one] { $n } person in the domain
   *[other] { $n } people in the domain
}
read-pbx = { $n ->
    [one] { $n } employee in MikoPBX
   *[other] { $n } employees in MikoPBX
}
verdict-true = complete
verdict-false = incomplete
run-writes = Written
writes-pbx = { $n ->
    [one] { $n } write to MikoPBX
   *[other] { $n } writes to MikoPBX
}
writes-directory = { $n } to the domain
run-plan = Plan
run-people = What became of whom
run-nobody-hint = This run had nothing to tell of anybody.
updated-any = wherever
change-planned = not done
change-moved = not done: it moved meanwhile
change-refused = refused
change-unknown = sent, unanswered; the next run looks
undo-of = undoes run { $n }
not-undone = Not undone
and-others = { $n ->
    [one] and { $n } other
   *[other] and { $n } others
}
step-number = step { $n }
steps-title = Steps of run { $run }
steps-look = { $n ->
    [one] { $n } step
   *[other] { $n } steps
}
steps-lead = Every single write, with what was there before. What an undo would do is shown as a plan first.
steps-none = No steps
steps-none-hint = This run wrote nothing, so there is nothing to undo.
steps-of-person = Steps
steps-of-all = Steps of everybody
mark-all = Mark all on this page
undo-run = Undo this run
undo-person = Undo all of this person
undo-marked = Undo the marked steps
undo-hint = Shows first what an undo would do. What was changed since is left alone.
undo-mark-some = Mark the steps that are to be undone.
undo-busy = Something is running for this server. Ask again when it is done.
## Conflicts

synchronize-server = Synchronize { $name } now
every-server = every server
conflicts-lead = What Rollcall does not decide by itself. Answering changes nobody's data; the next synchronisation carries the answer out.
conflict-state = State
conflict-state-open = Open
conflict-state-silenced = Left as they are
conflict-kind = Kind
every-kind = every kind
conflicts-search-hint = Name or stored value
conflicts-many = Answer many at once
conflicts-many-hint = Choose a kind to answer many at once.
conflicts-all-of-list = { $n ->
    [one] all { $n } of this list, on every page
   *[other] all { $n } of this list, on every page
}
conflicts-mark-all = Mark all on this page
conflict-mark = Mark { $name }
conflicts-none = No conflicts
conflicts-none-open = Nothing waits for you. When both sides disagree, or one refuses a change, it appears here with its ways out.
conflicts-none-silenced = Nobody was left as they are. A conflict comes here when you answer that it stays as it is.
conflicts-none-like-that = None is like that. Take back a filter, or search for less.
conflict-date = Date
conflict-stored = Stored
conflict-why = Reason
conflict-ways = Ways out
conflict-nothing = nothing
conflict-seen = { $n ->
    [one] seen in { $n } run
   *[other] seen in { $n } runs
}
conflict-by-rollcall = noticed by Rollcall
conflict-by-directory = refused by LDAP/AD
conflict-by-pbx = refused by the PBX
refused-by-rollcall = Rollcall
refused-by-directory = LDAP/AD
refused-by-pbx = The PBX
conflict-words-rollcall = In detail
conflict-words-directory = In the words of LDAP/AD
conflict-words-pbx = In the words of the PBX
conflict-tried = { $n ->
    [one] Tried { $n } time; again
   *[other] Tried { $n } times; again
}
conflict-tried-or = , or as soon as either side changes.
conflict-is-answered = answered
conflict-answered = { $answer }: the next synchronisation carries it out.
conflict-left = { $answer }
conflict-agrees = The same: { $fields }
conflict-differs = Different: { $fields }
conflict-remove = Remove { $name } from the list
conflict-why-ambiguous-match = { $n ->
    [0] The join of { $name } with an employee was undone, and nobody else matches. Nothing is created before you say so.
   *[other] Several people or employees match { $name }, or match only in part. Nobody was joined or created.
}
conflict-why-back-under-new-id = { $name } matches an employee whose person is gone from the domain: perhaps the same human under a new id.
conflict-why-already-someones = The employee who matches { $name } belongs to somebody else already.
conflict-why-both-changed = { $field }: it changed on both sides since they last agreed. The domain says { $directory }, MikoPBX says { $pbx }.
conflict-why-first-meeting = { $field }: the two sides differ and never agreed on one value. The domain says { $directory }, MikoPBX says { $pbx }.
conflict-why-several-values = { $field }: the domain holds several values, and nothing says which one is meant.
conflict-why-unusable = { $field }: a stored value cannot be used. The domain says { $directory }, MikoPBX says { $pbx }.
conflict-why-no-name = The domain gives no name that an employee could have.
conflict-why-number-taken = The internal number { $directory } belongs to somebody else already.
conflict-why-number-wanted-twice = Several people of the domain want the internal number { $directory }.
conflict-why-number-swap = People would exchange internal numbers in a circle: { $name } has { $pbx } and wants { $directory }.
conflict-why-no-free-number = No internal number is free for { $name }.
conflict-why-employee-deleted = The employee of { $name } is gone from MikoPBX, although the person is active in the domain.
conflict-why-not-the-same-employee = The employee linked with { $name } is somebody else by now: number, name and e-mail all changed in MikoPBX.
conflict-why-refused = { $field }: { $who } did not take the change. The domain says { $directory }, MikoPBX says { $pbx }.
conflict-why-refused-whole = { $who } did not take the change of { $name } as a whole.
conflict-why-undone-join = The join of { $name } was undone.
way-use-directory = Use the domain's
way-use-pbx = Use the PBX's
way-new-employee = Make a new employee
way-employee-again = Make the employee again
way-same-human = The same human: relink
way-same-employee = The same employee after all: relink
way-leave-out = Leave this person out
way-leave-as-is = Leave as is
way-retry = Try again
way-ask-again = Take the answer back
way-pick = It is this one
way-pick-this = It is { $name }
way-number = Another number
way-number-do = Give
way-keep-in-pbx = only in the PBX; the domain keeps its value
answer-employee = It is employee { $id }
answer-not-these = It is not employee { $ids }
answer-number = Give number { $number }
answer-number-pbx = Give number { $number } in the PBX only
conflicts-remove = Remove from the list
conflicts-clear-title = Clear the list
conflicts-clear-hint = This removes rows and changes no data on either side. Whatever still stands returns with the next synchronisation.
conflicts-clear-all = Clear all
conflicts-clear-server = Clear all of this server
conflicts-answered = { $n ->
    [one] { $n } conflict is answered. The next synchronisation carries it out.
   *[other] { $n } conflicts are answered. The next synchronisation carries them out.
}
conflicts-left-as-is = { $n ->
    [one] { $n } conflict is left as it is until either side changes.
   *[other] { $n } conflicts are left as they are until either side changes.
}
conflicts-left-out = { $n ->
    [one] { $n } person is left out until you take that back.
   *[other] { $n } people are left out until you take that back.
}
conflicts-asked-again = { $n ->
    [one] { $n } answer is taken back. The next synchronisation looks again.
   *[other] { $n } answers are taken back. The next synchronisation looks again.
}
conflicts-retried = { $n ->
    [one] { $n } change is tried again by the next synchronisation.
   *[other] { $n } changes are tried again by the next synchronisation.
}
conflicts-cleared = { $n ->
    [one] { $n } row is removed. No data was changed; what still stands returns with the next synchronisation.
   *[other] { $n } rows are removed. No data was changed; what still stands returns with the next synchronisation.
}

## Settings

settings-sign-in = Sign-in
settings-sessions = Sessions
settings-tokens = API tokens
settings-notifications = Notifications
settings-about = About
is-on = on
is-off = off
old-password = The password until now
old-password-wrong = The password until now is wrong. Nothing was changed.
new-password = New password
new-password-hint = Leave it empty to change the login only.
sign-in-change-hint = All other sessions end.
sign-in-changed = Login and password are changed. All other sessions have ended; API tokens go on working.
by-pbx-title = Sign in with MikoPBX
by-pbx-lead = Whoever may sign in to the MikoPBX web interface may sign in here with the same login and password. Rollcall asks the PBX each time and keeps neither.
by-pbx-no-pbx = No PBX is connected yet.
by-pbx-is-on = Whoever may sign in to MikoPBX may sign in here from now on.
by-pbx-is-off = Only Rollcall's own administrator may sign in from now on. Sessions of others have ended.
sessions-lead = Everybody who is signed in. A session ends after 12 hours without use, and after 7 days in any case.
sessions-end-others = End all others
session-who = Login
session-browser = Browser
session-created = Signed in
session-seen = Last seen
session-this = this one
session-end = End
session-ended = The session has ended.
sessions-ended = All other sessions have ended.
tokens-lead = A token lets a program use the JSON API. Give every program its own, so that it can be revoked alone.
tokens-none = No tokens
tokens-none-hint = Without a token nobody can use the JSON API.
token-new = A new token
token-name-hint = Who will use it, for example: monitoring
token-make = Make a token
token-made = The token { $name } is made. Copy it now: it is not kept and cannot be shown again.
token-created = Made
token-used = Last used
token-revoke = Revoke
token-revoke-name = Revoke { $name }
token-revoke-sure = Revoke { $name }? Programs that use it are refused at once.
token-revoked = The token is revoked.
notify-title = Who is told
notify-lead = This program is started when an automatic run is halted or fails, and when a stop ended by itself. It finds one JSON object on its standard input.
notify-nobody = Nobody is told yet.
notify-how = Which program it is, is said on the machine itself:
notify-failed = The program failed; the log says how.
notify-is-off = Nobody is told from now on.
notify-test = Send a test
notify-off = Tell nobody
notify-taken = { $program } has taken the notice.
about-version = Version
about-schema = Version of what is stored
about-licence = Licence
about-store = Store
about-store-good = can be read
about-pbx-set = connected
about-pbx-unset = not connected
about-people = Linked people
about-waiting = Refused changes that wait
about-taste = Language and theme are chosen in the navigation. The browser remembers them.
support-title = Support bundle
support-lead = A file for whoever helps you: versions, settings of servers and PBX, schedules, how the last runs ended, counts, what the guard stopped.
support-without = Without passwords, keys and tokens, and without names, e-mail addresses and numbers of people. Look at it before you send it.
support-do = Download
api-title = JSON API
api-lead = Most of what is done here can be done by programs, too. The description is at /api/v1/openapi.json, for whoever has a token.
