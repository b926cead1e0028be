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
domain = Or the domain
domain-hint = In the place of addresses and port: the DNS names the servers of this domain (SRV).
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
ldap-step-domain = Servers of the domain
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

### What the inner crates say, to the letter: by the English text a sentence is recognised.

told-word-field-name = name
told-word-field-extension = extension
told-word-field-mobile = mobile
told-word-field-email = email
told-word-field-photo = photo
told-word-field-password = sip-password
told-word-pbx = PBX
told-word-directory = directory
told-word-domain = domain
told-held-clears = clears
told-held-creations = creations
told-held-deletions = deletions in the PBX
told-held-joins = joins
told-held-leavers = leavers
told-held-renumberings = renumberings
told-held-returns = returns
told-kind-disables = people disabled
told-kind-clears = values cleared
told-kind-renumberings = numbers changed
told-kind-overwrites-pbx = values overwritten in the PBX
told-kind-overwrites-directory = values overwritten in the directory
told-kind-creations = employees created
told-kind-lost = linked employees missing or replaced in the PBX
told-trip-limit = { $people } of { $linked } linked: { $kind }, more than the limit of { $limit }
told-trip-all = { $people } of { $linked } linked: { $kind }, all there are
told-trip-before = { $people } of { $linked } linked: { $kind }, which was stopped before
told-look-never = nobody has looked yet at what a run of this server does
told-look-changed = nobody has looked at what a run does since its settings changed: what is read, or where
told-value-no-dial = `{ $raw }` is not a number the PBX can dial
told-value-blank = only white space
told-value-placeholder = a placeholder, not an e-mail address
told-value-no-email = not an e-mail address: { $why }
told-value-ext-letters = holds letters: an internal number has digits only
told-value-ext-phone = looks like a phone number: an internal number has 2 to 8 digits
told-value-ext-else = holds something else than the digits 0 to 9
told-value-ext-one = a single digit: an internal number has at least 2
told-value-ext-many = { $digits } digits: an internal number has at most 8
told-value-control = holds the control character { $code }: type the name again
told-value-no-inner = no inner extension in this phone
told-value-inner = the inner extension { $inner }: { $why }
told-value-phone-long = too long for a phone number
told-value-phone-letters = holds letters: not a phone number
told-value-phone-several = more than one phone number: leave one of them
told-value-phone-characters = holds characters that no phone number has
told-value-phone-only-inner = only an inner extension: no phone number in front of it
told-value-phone-no-digits = no digits: not a phone number
told-value-phone-few = too few digits for a phone number
told-value-phone-many = too many digits for one phone number
told-value-no-bytes = no bytes
told-value-no-picture = not a JPEG, PNG, GIF or WEBP picture
told-holder-phone = another phone
told-holder-mobile = a mobile number
told-holder-queue = a call queue
told-holder-ivr = a voice menu
told-holder-conference = a conference room
told-holder-parking = a parking slot
told-holder-application = a dialplan application
told-holder-system = the system
told-holder-else = another extension
told-holder-of-pbx = { $holder } of the PBX
told-holder-in-directory = { $name } in the directory
told-holder-blocks = { $padded } in the PBX, which blocks it
told-holder-elsewhere = a person of another directory, or to an unfinished creation
told-holder-meanwhile = somebody else meanwhile
told-numbers-length = most numbers in use have { $length } digits, but the PBX is set to { $configured }: free numbers are given with { $length }
told-number-taken = number { $number } belongs to { $by }
told-number-taken-free = number { $number } belongs to { $by }; free nearby: { $free }
told-number-two = number { $number } is asked for by { $names } too: nobody gets it
told-number-held-back = number { $number } is still held: its holder is held back
told-number-circle = number { $number } would have to be swapped in a circle, which the PBX cannot do in one step
told-number-holder-stays = number { $number } is still held: its holder could not be given another
told-number-none = no number is free in the ranges of this server: widen them
told-number-none-any-more = no number is free any more in the ranges of this server
told-number-not-free = the number is not free
told-left-out = left out by an administrator
told-ignored = { $state }, and has no employee in the PBX
told-inactive = inactive
told-ask-back = this employee belongs to a person who is gone: back under a new id?
told-ask-someones = the employee who matches is already { $owner }
told-ask-undone = the join with an employee was undone, and nobody else matches: nothing is created before somebody says so
told-ask-several = several people or employees match, or only in part: nobody was joined or created
told-owner-here = that of { $name }
told-owner-there = that of somebody on server `{ $server }`
told-owner-else = somebody else's
told-email-several = the e-mail { $mail } belongs to several people: { $people }
told-not-created = not created: a side was read incompletely
told-not-joined = not joined: a side was read incompletely
told-not-disabled = not moved to the disabled: the read was incomplete
told-not-taken-back = not taken back: the read was incomplete
told-not-seen = not seen in this read, which was incomplete
told-not-seen-employee = the employee was not seen: the PBX was read incompletely
told-not-ended = the link was not ended: the read was incomplete
told-read-missed = the read missed people who are there
told-read-nobody-looked = nobody looked where they went
told-name-unusable = the name cannot be used: { $why }
told-name-none = the person has no name in the directory, and an employee needs one: fill the attribute or map another
told-left-disabled = disabled in the directory
told-left-expired = the account has expired
told-left-locked = the account is locked for good
told-left-deleted = deleted from the directory
told-left-moved = moved out of the synchronised part of the directory
told-left-filtered = no longer taken by the filter
told-left-unlinked = { $words }; the employee was deleted in the PBX, so the link ends
told-field-both = it changed on both sides to different values since they last agreed
told-field-first = both sides have a different value, and they never agreed on one
told-field-several = the directory holds several values for { $field }, and nothing says which one is meant
told-field-unusable = the { $field } in the { $side } cannot be used: { $why }
told-employee-deleted-active = the employee was deleted in the PBX, but the person is active in the directory
told-employee-other = number, name and e-mail of employee { $id } all changed in the PBX: it looks like somebody else (a restored or replaced PBX?)
told-held-back-stopped = held back, for the guard stopped it: { $kinds }
told-held-why-stopped = the guard stopped a run for this; release or discard the plan of that run, or change the limits
told-undo-nobody-left = the employee was deleted in the PBX: nobody is left to link
told-undo-state = account state is only observed: it is as the directory says, and never undone
told-undo-linked = by now they are linked with employee { $id }
told-undo-employee-gone = the employee is gone, or somebody else's by now
told-undo-was-empty = it was empty before, and the { $field } of somebody is never cleared: where it is not wanted, take it out by hand
told-undo-picture = the picture that was there before is not kept any more
told-undo-same = it says the same as before already
told-undo-not-linked = they are not linked with an employee any more
told-undo-rests = { $why }: their data rests
told-undo-not-found = the employee was not found in the PBX
told-undo-other = the employee looks like somebody else: answer that conflict first
told-undo-no-write-pbx = the { $field } is not written to the PBX any more
told-undo-no-write-directory = the { $field } is not written to the directory any more
told-undo-partial = a side was read incompletely: { $why }
told-undo-parted = the join was undone: the employee stays in the PBX, and the two are not joined again
told-undo-out = the person is not in the synchronised part of the directory any more
told-undo-rotate = a SIP password is not kept, so the old one cannot come back: give a new one on either side, and the next synchronisation carries it to the other
told-undo-created = employees are never deleted by us: if this one is not wanted, delete employee { $id }, number { $number }, in the PBX
told-undo-created-unknown = employees are never deleted by us: if this one is not wanted, delete employee, number { $number }, in the PBX
told-undo-unread = what the { $side } has now could not be read
told-undo-changed = it was changed since: `{ $now }` stands there now
told-undo-emptied = it was changed since: it is empty now
told-create-late = an earlier request for this employee was carried out late; the next run joins it
told-create-occupied = { $n } free numbers in a row were occupied meanwhile; the next run tries again
told-create-new = new in the directory
told-create-password = the SIP password changed in the directory meanwhile
told-create-generated = { $why }; the employee got a generated one in the PBX
told-step-found = made by an earlier run that ended before it could say so
told-step-matched = matched by { $keys }
told-step-decided = an administrator decided so
told-step-deleted = the employee was deleted in the PBX
told-step-other = the employee looks like somebody else
told-step-same = it is the same employee after all
told-step-undo = undo of step { $seq } of run { $run }
told-write-not-tried = not tried: { $why }
told-write-moved = it changed in the { $side } meanwhile: the next run compares it again
told-write-unknown = nobody knows whether the directory took it: { $why }. The next run looks
told-write-directory-gone = the directory is gone: { $why }
told-write-by-itself = the PBX changed it by itself while another field was saved
told-write-no-clear = a SIP password is never cleared
told-write-small-picture = the picture has { $n } bytes, and the PBX takes none below 1 KiB
told-write-stored = the { $side } stored `{ $value }` instead
told-canary-nobody = nobody was listed, so no look-up of a missing person can be trusted
told-fence-over = the lease of this run is over, so nothing is sent any more
told-fence-lost = the lease of server `{ $server }` ran out while this process was held up; this run stopped between two writes and the next one goes on from there
told-follow-left = nobody waits any more; the other process goes on
told-follow-failed = run { $run } of another process, which this one waited for, failed: { $why }
told-follow-silent = it did not say why
told-read-server = server `{ $server }` could not be read
told-read-server-why = server `{ $server }` could not be read: { $why }
told-read-pbx = the PBX could not be read
told-read-pbx-why = the PBX could not be read: { $why }
told-read-empty = nobody was found in the directory: check domain root, subdivisions and filter
told-read-when = it is not known when the data of { $id } changed: { $why }
told-read-away = the directory went away: { $why }
told-read-look-up = a missing person could not be looked up: { $why }
told-read-pictures = not every picture could be read from the directory: { $why }
told-read-record = the record of employee { $id } could not be read: { $why }
told-read-picture = the picture of employee { $id } could not be read: { $why }
told-read-fewer = { $read } { $what } were read, { $before } the last time under the same settings: if that is right, repeat this with --expect-fewer; if not, look what became of the others
told-read-people = people
told-read-employees = employees
told-guard-stopped = the guard stopped the run
told-guard-stops = stopped since run { $run }: release its plan (`{ $release }`), discard it (`{ $discard }`), or change the limits (`{ $edit }`)
told-guard-ended = { $kind }: what the guard stopped in run { $run } ended by itself, for it concerns nobody any more
told-plan-done = plan { $hash } was carried out or discarded already
told-plan-not-done = { $name }: not done, { $why }
told-plan-moved = { $name }: not done, a side moved since the plan was made; preview again
told-plan-not-part = not part of the reviewed plan, or moved since
told-plan-none = there is no plan `{ $hash }`; make one with `rollcall preview`
told-plan-several = several plans begin with `{ $hash }`; give more of the hash
told-plan-unreadable = the kept plan { $hash } cannot be read; preview again
told-recover-unknown = what became of an unfinished creation is not known: { $why }
told-run-cancelled = it was cancelled; the next run does the rest
told-run-no-report = run { $run } of server `{ $server }` ended without a report
told-undo-no-run = there is no run { $run }; see `rollcall history`
told-undo-removed = run { $run } was of server `{ $server }`, which was removed since
told-undo-nothing = run { $run } wrote nothing that could be undone
told-undo-no-step = run { $run } has no step { $seq }; see `{ $command }`
told-undo-no-step-of-person = run { $run } has no step { $seq } of this person; see `{ $command }`
told-undo-nobody = run { $run } did nothing about `{ $query }`; give the whole name or the id, see `{ $command }`
told-undo-several = `{ $query }` is several people: { $one }, { $other }, …; give the id
told-undo-refused = it was refused: nothing was written
told-undo-unknown = nobody knows yet whether it happened: the next synchronisation looks
told-undo-journal = the journal cannot be read here
told-undo-already = run { $run } was undone already
told-undo-already-some = { $steps } of run { $run } were undone already
told-undo-moved = a side moved since the plan was made: look at it again
told-undo-partly = not every value could be put back, so the two stay linked; undo this step alone to end the link all the same
told-undo-was-refused = it was refused
told-never-deleted = employees are never deleted
told-canary-doubt = { $name } ({ $dn }) was just listed, but looking them up by { $attribute } { $seen }; so nobody who is missing is taken for gone. Let the account search by { $by } in the whole domain, and check that every address of this server is the same directory
told-canary-nobody-found = finds nobody
told-canary-elsewhere = finds them elsewhere, at { $dn }
told-canary-filter = finds them outside of the filter
told-canary-refused = is refused: { $why }
told-canary-failed = failed: { $why }
told-canary-somebody = somebody
