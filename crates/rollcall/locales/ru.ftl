### Русский. Те же ключи, что и в en.ftl.

language-name = Русский

## Рамка страницы

skip-to-content = Перейти к содержимому
menu = Меню
navigation = Навигация
language = Язык
theme = Тема
theme-auto = Системная
theme-light = Светлая
theme-dark = Тёмная
choose = Выбрать
sign-out = Выйти
nav-first-steps = Первые шаги
nav-servers = Серверы
nav-employees = Сотрудники
nav-disabled = Отключённые сотрудники в LDAP/AD
nav-conflicts = Конфликты синхронизации
nav-history = История
nav-settings = Настройки

## Что пошло не так

problem-not-found = Такой страницы нет
problem-refused = Так сделать нельзя
problem-forbidden = Запрос пришёл с другого сайта
problem-failed = Что-то пошло не так
problem-status = Код ответа { $n }
problem-back = К списку серверов

## Слова

count-people = { $n ->
    [one] { $n } человек
    [few] { $n } человека
   *[other] { $n } человек
}
ago-now = только что
ago-minutes = { $n } мин назад
ago-hours = { $n } ч назад
ago-days = { $n ->
    [one] { $n } день назад
    [few] { $n } дня назад
   *[other] { $n } дней назад
}
until-now = вот-вот
until-minutes = через { $n } мин
until-hours = через { $n } ч
until-days = { $n ->
    [one] через { $n } день
    [few] через { $n } дня
   *[other] через { $n } дней
}
took-seconds = { $n } с
took-minutes = { $m } мин { $s } с
pager = { $first }–{ $last } из { $total }
page-of = Страница { $page } из { $pages }
page-previous = Назад
page-next = Дальше
pages = Страницы
search = Поиск
search-hint = Имя, номер, почта
search-do = Найти
everybody = все
nobody = Никого
nobody-hint = Таких нет. Снимите фильтр или ищите по меньшему числу букв.
actions = Действия
never = никогда
name = Имя
extension = Внутренний номер
status = Статус
updated = Обновлено
person = Сотрудник
changes = Изменения
download = Скачать:
keep = Оставить
go-on = Продолжить
try-again = Попробовать снова
cancel = Отменить
report = Отчёт
login = Логин
password = Пароль

field-name = Имя
field-extension = Внутренний номер
field-mobile = Мобильный
field-email = Почта
field-photo = Фото
field-sip-password = Пароль SIP
to-pbx = в MikoPBX
to-directory = в домене
status-processed = обработан
status-skipped = пропущен
status-conflict = конфликт
status-failed = ошибка
updated-pbx = в MikoPBX
updated-directory = в домене
updated-both = в MikoPBX и в домене
updated-nothing = нигде
value-set = задано
value-empty = пусто
value-unreadable = не запрашивалось
value-unusable = не подходит
cleared = очищено
kind-active-directory = Active Directory
kind-openldap = OpenLDAP
kind-389ds = 389 Directory Server
kind-freeipa = FreeIPA
outcome-running = идёт
outcome-done = выполнен
outcome-partial = выполнен частично
outcome-halted = остановлен защитой
outcome-failed = ошибка
outcome-cancelled = отменён
outcome-interrupted = прерван
trigger-manual = вручную
trigger-automatic = автоматически
trigger-apply = проверенный план
trigger-undo = откат
trigger-demo = демонстрация

## Вход

sign-in = Войти
sign-in-lead = Держит сотрудников MikoPBX и людей домена в согласии.
sign-in-with = Войти как
sign-in-with-rollcall = Администратор Rollcall
sign-in-with-mikopbx = Пользователь MikoPBX
sign-in-wrong = Неверный логин или пароль.
sign-in-throttled = { $n ->
    [one] Слишком много попыток. Подождите { $n } секунду.
    [few] Слишком много попыток. Подождите { $n } секунды.
   *[other] Слишком много попыток. Подождите { $n } секунд.
}
setup-title = Кто администратор?
setup-lead = Rollcall только что установлен. Выберите логин и пароль, которые открывают эти страницы.
setup-key = Откройте адрес, который `rollcall serve` напечатал при запуске: в нём ключ, который может прочитать только администратор этой машины.
setup-do = Начать
password-hint = Не короче { $n } символов.
password-again = Пароль ещё раз
password-differs = Пароли не совпадают.

## Первые шаги

first-steps-title = Первые шаги
first-steps-lead = Шесть шагов от пустого места до автоматической синхронизации. До пятого шага ни в одну из сторон ничего не записывается.
first-steps-done = Всё настроено. Теперь Rollcall держит обе стороны в согласии.
step-pbx = Подключите АТС
step-lead-pbx = Где находится MikoPBX и как в неё войти.
step-server = Добавьте сервер
step-lead-server = Сервер AD/LDAP: адрес, учётная запись и подразделения.
step-map = Сопоставьте атрибуты
step-lead-map = Какой атрибут домена какому полю сотрудника соответствует и в какую сторону он передаётся.
step-request = Тестовый запрос
step-lead-request = Показывает всех людей такими, какими их отдал домен, и что сделала бы синхронизация. Ничего не записывается.
step-synchronize = Синхронизация данных
step-lead-synchronize = Первый настоящий запуск. Люди связываются, недостающие сотрудники создаются, номера возвращаются в домен.
step-automatic = Включите автоматическую синхронизацию
step-lead-automatic = Дальше Rollcall смотрит каждые несколько минут и сам останавливается, если что-то не так.
step-done = сделано
step-look = Посмотреть
step-begin = Начать
step-not-yet = после шага { $n }
step-ok = в порядке
step-failed = не удалось

## АТС

pbx-title = Подключение АТС
pbx-lead = Одна MikoPBX на установку. Проверяется сразу после сохранения.
pbx-url = Адрес
pbx-url-hint = http://127.0.0.1 на самой АТС, иначе https://pbx.example.org
pbx-sign-in = Вход
pbx-sign-in-local = Без входа: Rollcall работает на самой АТС
pbx-sign-in-api-key = Ключ API
pbx-sign-in-login = Логин и пароль веб-интерфейса
pbx-secret = Ключ API или пароль
secret-is-set = (задан; оставьте пустым, чтобы не менять)
secret-hint = Хранится зашифрованным и никогда не отправляется обратно в браузер.
trust = Сертификаты
trust-system = Доверять центрам сертификации этой системы
trust-authority = Доверять этому центру (PEM)
trust-pinned = Доверять ровно одному сертификату
trust-pem = Центр сертификации (PEM)
trust-fingerprint = Отпечаток SHA-256
trust-offered = АТС показывает сертификат с этим отпечатком. Сверьте его с отпечатком на самой АТС, прежде чем принять.
trust-accept = Доверять ровно этому сертификату
save-and-test = Сохранить и проверить
diagnosis = Диагностика
pbx-works = АТС отвечает, и всё, что нужно Rollcall, разрешено.
pbx-how = Как войти
pbx-how-local = Если Rollcall работает на самой АТС, ничего не нужно: MikoPBX доверяет своей машине.
pbx-how-key = С другой машины создайте в MikoPBX ключ API (Система → Ключи API) с правом читать и изменять сотрудников.
pbx-step-address = Адрес
pbx-step-certificate = Сертификат
pbx-step-mikopbx = MikoPBX
pbx-step-sign-in = Вход
pbx-step-read-employees = Чтение сотрудников
pbx-step-read-taken-numbers = Чтение занятых номеров
pbx-step-change-employees = Изменение сотрудников

## Серверы

servers-title = Серверы
servers-lead = Все серверы AD/LDAP, которые Rollcall держит в согласии с АТС.
servers-add = Добавить сервер
servers-no-pbx = АТС ещё не подключена, поэтому синхронизировать нечего.
servers-set-pbx = Подключить АТС
servers-stopped = Защита кое-что остановила, и это ждёт вас.
servers-stopped-look = Посмотреть план
servers-look-first = Настройки изменились, или никто ещё не смотрел: автоматические запуски ждут, пока вы не увидите тестовый запрос.
figure-people = сотрудники
figure-conflicts = конфликты
figure-disabled = отключённые
last-run = Последний запуск
next-run = Следующий запуск
running-now = идёт сейчас
is-paused = на паузе
only-by-hand = только вручную
backing-off = { $n ->
    [one] { $n } неудача подряд
    [few] { $n } неудачи подряд
   *[other] { $n } неудач подряд
}
automatic = Автоматическая синхронизация
automatic-every = { $n ->
    [one] автоматически, каждую { $n } мин
   *[other] автоматически, каждые { $n } мин
}
automatic-is-off = автоматически: выключено
switch-on = Включить
switch-off = Выключить
automatic-switch-on = Включить автоматическую синхронизацию { $name }
automatic-switch-off = Выключить автоматическую синхронизацию { $name }
pause = Пауза
resume = Продолжить
duplicate = Создать копию
remove = Удалить
servers-automatic-on = { $name }: теперь синхронизируется автоматически.
servers-automatic-on-look = { $name }: включено. Первый автоматический запуск ждёт, пока вы не посмотрите тестовый запрос.
servers-automatic-off = { $name }: теперь синхронизируется только вручную.
servers-paused = { $name }: на паузе.
servers-resumed = { $name }: продолжает работу.
servers-duplicated = { $name }: те же настройки и пароль. Измените то, что отличается.
servers-removed = { $name }: забыт. Обе стороны остались как были.
server-settings = Настройки сервера
remove-title = Удалить { $name }?
remove-forgets = { $n ->
    [0] Через этот сервер никто не связан.
    [one] Rollcall забудет сервер, его пароль и кто в АТС { $n } человек.
    [few] Rollcall забудет сервер, его пароль и кто в АТС { $n } человека.
   *[other] Rollcall забудет сервер, его пароль и кто в АТС { $n } человек.
}
remove-stays-pbx = Все сотрудники останутся в MikoPBX со своими номерами.
remove-stays-directory = В домене всё останется как есть.
remove-stays-history = История запусков сохранится.
remove-again = Если добавить сервер снова, люди будут сопоставлены заново.
remove-do = Удалить { $name }

## Тестовый запрос, планы

request-title = Тестовый запрос
request-lead = Показывает всех людей такими, какими их отдал домен, и что сделала бы синхронизация. Ни в одну из сторон ничего не записывается.
request-do = Выполнить запрос
request-again = Выполнить запрос снова
expect-fewer = Людей и правда стало намного меньше, чем в прошлый раз
expect-fewer-hint = Без этой отметки чтению, которое нашло намного меньше людей, не верят, и никто не считается ушедшим.
plans-title = Сохранённые планы
plan-made = Создан
plan-state = Состояние
plan-guard = Защита
plan-halted = остановлен
plan-fine = в порядке
plan-look = Посмотреть
plan-lead = Ничего не записано. Вот что произошло бы; план создан
plan-state-pending = ждёт вас
plan-state-applied = выполнен
plan-state-discarded = отброшен
plan-apply = Применить этот план
plan-release = Применить, хотя защита его остановила
plan-discard = Отбросить
plan-limits = Изменить пределы
plan-discarded = План отброшен. Следующий запуск посчитает заново.
release-sure = Защита остановила этот план, потому что он затрагивает необычно много людей. Всё равно применить?
plan-kind-create = создать
plan-kind-update = обновить в MikoPBX
plan-kind-write-back = записать в домен
plan-kind-join = связать
plan-kind-disabled = отключён
plan-kind-return = вернулся
plan-kind-conflict = конфликт
plan-kind-unlink = развязать
plan-kind-unchanged = без изменений
plan-kind-left = всё ещё отключён
plan-kind-skip = пропущен
what-happens = Что произойдёт
as-directory-gave = Как отдал домен
undo-preview-title = Что сделает откат
partial-directory = Каталог прочитан не полностью
partial-pbx = АТС прочитана не полностью
held-back = Придержано
guard-stopped = Защита остановила это
guard-look-first = С этими настройками ещё никто не смотрел тестовый запрос.
guard-trip = { $kind }: { $people }, вместе с { $recent } в автоматических запусках за 24 часа; предел для { $linked } связанных — { $limit }.
guard-ways = Посмотрите, кого это касается. Если всё верно — примените; если нет — отбросьте и ищите причину в домене. Ничего не записано.
plan-nothing = Выполнять нечего.
guard-fine = Защита не возражает против этого плана.
guard-disables = Отключённые люди
guard-clears = Очищенные значения
guard-renumberings = Изменённые номера
guard-overwrites-in-pbx = Перезаписанные значения в АТС
guard-overwrites-in-directory = Перезаписанные значения в домене
guard-creations = Созданные сотрудники
guard-lost-employees = Связанные сотрудники, пропавшие или подменённые в АТС

## Синхронизация данных

synchronize-title = Синхронизация данных
synchronize-lead = Читает обе стороны и делает всё, что нужно.
synchronize-do = Синхронизировать сейчас
synchronize-first = Это первый запуск этого сервера. Сначала посмотрите тестовый запрос: он показывает, кто с кем будет связан.
runs-last = Последние запуски
run-started = Начат
run-trigger = Как начат
run-outcome = Итог
phase-start = Начинается
phase-read-directory = Чтение каталога
phase-read-pbx = Чтение АТС
phase-look-up = Уточнение
phase-plan = Планирование
phase-write = Запись
rate = { $n } в секунду
job-people = Люди
job-failed = Запуск не удался
job-cancelled = Отменено
job-cancelled-hint = На всё отправленное получен ответ, и это запомнено. Остальное сделает следующий запуск.
cancelling = Отменяется
cancel-sure = Отменить запуск? Сделанное останется; остальное сделает следующий запуск.

## Сервер

server-new = Добавление сервера
tab-connection = Подключение
tab-attributes = Атрибуты
tab-limits = Пределы и расписание
save = Сохранить
saved = Сохранено.
not-saved-yet = Это то, над чем вы работаете. Ещё не сохранено.
forget-changes = Забыть эти изменения
server-name = Название
server-name-hint = Как вы его называете, например «Главный офис».
server-kind = Тип
security = Защита
security-none = нет
security-starttls = StartTLS
security-ldaps = LDAPS (TLS)
port = Порт
hosts = Адреса
hosts-hint = По одному в строке: имя или адрес равноценных серверов. Используется первый ответивший.
domain = Или домен
domain-hint = Вместо адресов и порта: серверы этого домена назовёт DNS (SRV).
allow-plain = Разрешить пароль по незашифрованному соединению
allow-plain-hint = Только для сети, которой вы доверяете: пароль и все данные можно прочитать по дороге.
show-certificate = Показать сертификат сервера
bind-login = Учётная запись
bind-login-hint = DN; в Active Directory также user@domain. Отдельная запись, у которой прав не больше, чем нужно.
secret-typed = (введён; ещё не сохранён)
scope = Кто
base-dn = Корень домена
tree-pick = Выбрать в дереве
ous = Только эти подразделения
ous-hint = По одному DN в строке. Пусто: весь корень домена.
exclude = Кроме этих подразделений
exclude-hint = По одному DN в строке. Перемещённый туда считается ушедшим.
groups = Только участники этих групп
groups-hint = По одному DN в строке; достаточно быть в одной.
filter = Дополнительный фильтр пользователей
scope-count = { $n ->
    [one] С этими настройками найден { $n } человек.
    [few] С этими настройками найдено { $n } человека.
   *[other] С этими настройками найдено { $n } человек.
}
test-connection = Проверить
count-do = Посчитать людей
diagnosis-lead = «Проверить» пробует введённое шаг за шагом, не сохраняя.
diagnosis-good = Всё в порядке.
step-not-reached = не дошли
ldap-step-domain = Серверы домена
ldap-step-name = Имя
ldap-step-port = Порт
ldap-step-tls = TLS
ldap-step-sign-in = Вход
ldap-step-domain-root = Корень домена
ldap-step-subdivision = Подразделения
ldap-step-groups = Группы
ldap-step-people = Люди
ldap-step-ids = Идентификаторы
ldap-step-attributes = Атрибуты
ldap-step-rights = Права
certificate-shown = Сервер показывает такой сертификат
certificate-subject = Кому выдан
certificate-issuer = Кем выдан
certificate-names = Для
certificate-until = Действует до
certificate-compare = Сверьте отпечаток с отпечатком на самом сервере, прежде чем принять.
certificate-accept = Доверять ровно этому сертификату
server-password-missing = Не задан пароль учётной записи.
tree-title = Выбор в дереве
tree-lead = Отметьте подразделения, которые Rollcall должен держать в согласии, и исключите другие. Ничего не сохраняется, пока вы не сохраните подключение.
tree-done = Готово
tree-back = Назад к подключению
tree-roots = Корни домена
tree-root = Это корень домена
tree-up = Вверх
tree-none = Подразделений здесь нет.
tree-more = Есть ещё; DN недостающего напишите сами.
tree-in = включено
tree-out = исключено
tree-include = Включить
tree-exclude = Исключить
tree-neither = Снять отметку
look-failed = Каталог рассказал не всё:
look-too-long = Каталог слишком долго отвечает. Страница показана без его значений.
look-again = Показать значения снова
write-back = Обновлять данные в домене
write-back-hint = Без этой отметки в домен никогда ничего не записывается.
region = Страна телефонных номеров
region-hint = Две буквы. Превращает 8 916 … в +7 916 …
numbers = Внутренние номера для новых сотрудников
numbers-hint = Диапазоны, например 200-299, 400-449. Пусто: как предложит MikoPBX.
account-state = Атрибут, отключающий учётную запись
account-state-hint = Кроме собственных признаков сервера: TRUE, 1, yes или disabled означает «отключена».
map-title = Поле ↔ атрибут
map-lead = Шаблон вида {"{givenName} {sn}"} можно только читать. Пустой атрибут не трогает поле.
map-field = Поле
map-attribute = Атрибут
map-direction = Направление
map-both = Изменились обе стороны
map-first = Первая встреча
map-samples = Три человека, и можно ли записывать?
map-clear = пустота передаётся
map-changed-look = После изменений здесь следующий автоматический запуск ждёт, пока вы не посмотрите тестовый запрос.
direction-both = в обе стороны
direction-to-pbx = только в MikoPBX
direction-to-directory = только в домен
direction-off = выключено
both-newest = побеждает новейшее
both-directory = побеждает домен
both-pbx = побеждает MikoPBX
both-ask = спросить меня
right-yes = можно записывать
right-no = записывать нельзя
right-unknown = права неизвестны
sample-picture = { $n ->
    [one] фото, { $n } байт
    [few] фото, { $n } байта
   *[other] фото, { $n } байт
}
doubt-write-back = В домен ничего не идёт, пока «Обновлять данные в домене» выключено.
doubt-read-only = Это можно только читать: шаблон, именующий атрибут или часть телефонного номера.
doubt-right = Учётная запись не может записывать этот атрибут. Дайте ей право или выберите «только в MikoPBX».
doubt-sip-plain = Атрибут хранит пароль SIP открытым текстом: кто может его прочитать, может пользоваться телефоном. Используйте особый атрибут, доступный только этой учётной записи.
doubt-no-name = Без имени никого нельзя создать.
doubt-newest = Этот сервер хранит одно время на всего человека, поэтому «новейшее» часто неизвестно; тогда побеждает MikoPBX.
schedule-title = Расписание
schedule-lead = Каждый автоматический запуск читает обе стороны и делает всё, что нужно.
schedule-every = Минут между запусками
guard-title = Защита
guard-lead = Запуск, который затронул бы больше людей, останавливается до первой записи и ждёт вас.
guard-floor = Столько никогда не слишком много
guard-percent = Доля связанных людей, %
guard-ceiling = Больше стольких всегда слишком много
guard-now = При { $linked } связанных запуск останавливается, если затронет больше { $limit }.

## Сотрудники, один сотрудник

employees-title = Сотрудники
employees-lead = Все связанные: человек в домене и сотрудник в MikoPBX.
employees-none = Пока никто не связан
employees-none-hint = Первая синхронизация соединит людей домена с сотрудниками MikoPBX и создаст недостающих.
everybody-show = Показать всех
all-servers = все серверы
all-states = все состояния
server = Сервер
state = Состояние
show = Показать
in-step = всё совпадает
state-active = работает
state-resting = приостановлен
state-left = отключён или удалён
state-disabled = отключён
state-expired = срок учётной записи истёк
state-locked = заблокирован навсегда
state-deleted = удалён
state-moved-out = перемещён за пределы области
state-filtered-out = больше не проходит фильтр
open-in-pbx = Открыть в MikoPBX
person-who = Кто это
photo-of = Фото: { $name }
employee-number = Сотрудник в MikoPBX
person-id = ID в домене
person-entry = Запись
person-conflicts = Ждёт решения
person-fields = Обе стороны
person-history = Что было записано
person-history-none = Об этом человеке ещё ничего не записывалось.
field = Поле
in-the-domain = В домене
in-the-pbx = В MikoPBX
agreed = Согласовано
since = С какого времени
not-seen = не видели
standing-not-mapped = не сопоставлено
standing-not-yet = ещё не согласовано
standing-held = оставлено как есть
standing-moved = изменилось с тех пор
standing-differs = отличается и остаётся так
standing-agreed = согласовано
when = Когда
what = Что
because = Почему
result = Итог
run = Запуск
step = Шаг
why-title = Почему так
why-active = Связан, обе стороны держатся в согласии.
why-unlinked = С этим человеком не связан ни один сотрудник.
why-left = В домене с { $when }: { $reason }. Сотрудник в MikoPBX продолжает работать, данные не переносятся.
why-resting = Приостановлен с { $when }: сотрудник похож на другого человека. До решения данные не переносятся.
why-held = { $field }: администратор оставил обе стороны как есть, хотя они отличаются.
why-moved = { $field }: с последнего согласования одна из сторон изменилась. Следующий запуск разберётся.
why-differs = { $field }: стороны отличаются и остаются так.
why-not-yet = { $field }: стороны ещё не согласовали значение.
why-last-run = Последние новости принёс запуск { $run }: { $status }
conflict-kind-ambiguous-match = подходят несколько сотрудников
conflict-kind-back-under-new-id = вернулся под новым ID?
conflict-kind-already-someones = сотрудник уже связан с другим
conflict-kind-both-changed = изменено с обеих сторон
conflict-kind-first-meeting = при первой встрече стороны отличаются
## Конфликты

synchronize-server = Синхронизировать { $name } сейчас
every-server = все серверы
conflicts-lead = То, чего Rollcall не решает сам. Ответ ничьих данных не меняет; его выполнит следующая синхронизация.
conflict-state = Состояние
conflict-state-open = Открытые
conflict-state-silenced = Оставленные как есть
conflict-kind = Вид
every-kind = все виды
conflicts-search-hint = Имя или сохранённое значение
conflicts-many = Ответить на несколько сразу
conflicts-many-hint = Выберите вид, чтобы ответить на несколько сразу.
conflicts-all-of-list = { $n ->
    [one] весь список: { $n } на всех страницах
    [few] весь список: { $n } на всех страницах
   *[other] весь список: { $n } на всех страницах
}
conflicts-mark-all = Отметить все на этой странице
conflict-mark = Отметить: { $name }
conflicts-none = Конфликтов нет
conflicts-none-open = Вас ничего не ждёт. Если стороны разойдутся или одна из них откажет, это появится здесь вместе с вариантами решения.
conflicts-none-silenced = Ничего не оставлено как есть. Конфликт попадает сюда, когда вы отвечаете, что всё остаётся как есть.
conflicts-none-like-that = Таких нет. Снимите фильтр или ищите по меньшему числу букв.
conflict-date = Дата
conflict-stored = Сохранено
conflict-why = Причина
conflict-ways = Варианты решения
conflict-nothing = ничего
conflict-seen = { $n ->
    [one] замечен в { $n } запуске
    [few] замечен в { $n } запусках
   *[other] замечен в { $n } запусках
}
conflict-by-rollcall = заметил Rollcall
conflict-by-directory = отказал LDAP/AD
conflict-by-pbx = отказала АТС
refused-by-rollcall = Rollcall
refused-by-directory = LDAP/AD
refused-by-pbx = АТС
conflict-words-rollcall = Подробнее
conflict-words-directory = Словами LDAP/AD
conflict-words-pbx = Словами АТС
conflict-tried = { $n ->
    [one] Была { $n } попытка; снова
    [few] Было { $n } попытки; снова
   *[other] Было { $n } попыток; снова
}
conflict-tried-or = , или как только изменится любая из сторон.
conflict-is-answered = отвечено
conflict-answered = { $answer }: выполнит следующая синхронизация.
conflict-left = { $answer }
conflict-agrees = Совпадает: { $fields }
conflict-differs = Отличается: { $fields }
conflict-remove = Убрать из списка: { $name }
conflict-kind-several-values = несколько значений
conflict-kind-unusable = значение не подходит
conflict-kind-no-name = нет имени
conflict-kind-number-taken = номер занят
conflict-kind-number-wanted-twice = номер нужен двоим
conflict-kind-number-swap = номера поменялись бы местами
conflict-kind-no-free-number = нет свободного номера
conflict-kind-employee-deleted = сотрудник удалён
conflict-kind-not-the-same-employee = не тот же сотрудник
conflict-kind-refused = отказ
conflict-kind-undone-join = соединение отменено
step-what-create = Сотрудник создан
step-what-join = Соединён
step-what-unlink = Связь снята
step-what-leave = Отключён
step-what-return = Вернулся
step-state-intended = пока неизвестно
step-state-done = сделано
step-state-refused = отказ
step-state-unknown = отправлено, без ответа
step-state-undone = отменено
cause-directory-changed = изменилось в домене
cause-pbx-changed = изменилось в MikoPBX
cause-first-meeting = первая встреча
cause-both-changed-directory-wins = изменилось с обеих сторон, главный — домен
cause-both-changed-pbx-wins = изменилось с обеих сторон, главная — MikoPBX
cause-newest = изменилось с обеих сторон, взято новейшее
cause-decision = решение администратора
cause-new-employee = новый сотрудник
cause-new-number = новый номер
cause-undo = откат
cause-undo-of = откат шага { $step } запуска { $run }

## Отключённые сотрудники

disabled-lead = Их учётные записи в домене отключены или удалены, а сотрудники в MikoPBX продолжают работать. Удалите сотрудника там, и строка исчезнет; исчезнет она и когда учётная запись вернётся.
disabled-none = Среди отключённых и удалённых ни у кого нет работающего сотрудника
disabled-none-hint = Кто в домене отключён, просрочен, заблокирован навсегда, удалён или перемещён, появится здесь после следующего запуска. Rollcall никогда не удаляет сотрудников: это решаете вы.
reason = Причина
all-reasons = все причины
mentions = Что ссылается на номер
mentions-look = Что ссылается на { $number }
mentions-page = Узнать у MikoPBX
mentions-number-of = В MikoPBX { $number } — номер: { $holder }.
mentions-number-held = Номер { $number } в MikoPBX ещё занят, имени нет.
mentions-number-free = Номера { $number } в MikoPBX больше ни у кого нет.
mentions-not-known = Неизвестно:
mentions-forwards-not-known = Куда переадресуются звонки, неизвестно:
mentions-forwards-nothing = Этот телефон не переадресует звонки.
mentions-forwards-unanswered = Если никто не ответил, звонок идёт
mentions-forwards-busy = Если занято, звонок идёт
mentions-forwards-unavailable = Если телефон недоступен, звонок идёт
mentions-employee-gone = Сотрудника в MikoPBX уже нет. Следующий запуск уберёт строку.
mentions-not-told = MikoPBX не сообщает, какие входящие маршруты, очереди, меню и чужие переадресации ведут на этот номер. Удалить сотрудника, на которого что-то ведёт, она откажется и назовёт причину.

## История, один запуск

history-lead = Каждый запуск: как начался, чем кончился, что изменил.
history-none = Запусков ещё не было
history-none-hint = Каждый запуск оставляет здесь отчёт: кто изменился, где и почему.
history-none-such = Таких запусков нет
history-show-all = Показать все запуски
all-triggers = все
run-took = Длительность
run-counts = Люди
run-would-be = Было бы
chart-says = { $n ->
    [one] { $n } запуск, записей: { $changes }. Чем выше столбик, тем больше записано; новейший справа.
    [few] { $n } запуска, записей: { $changes }. Чем выше столбик, тем больше записано; новейший справа.
   *[other] { $n } запусков, записей: { $changes }. Чем выше столбик, тем больше записано; новейший справа.
}
chart-bar = Запуск { $run }, { $when }: { $outcome }, записей: { $n }
counted-created = создано
counted-joined = соединено
counted-updated-in-pbx = обновлено в MikoPBX
counted-updated-in-directory = обновлено в домене
counted-disabled = отключено
counted-restored = вернулось
counted-conflicts = конфликтов
counted-failed = ошибок
counted-unchanged = без изменений
run-title = Запуск { $run }
run-watch = Наблюдать
run-error = Почему не удалось
run-halted-hint = Ничего не записано. Посмотрите план, затем примените его или отклоните.
run-read = Прочитано
read-directory = { $n ->
    [one] { $n } человек в домене
    [few] { $n } человека в домене
   *[other] { $n } человек в домене
}
read-pbx = { $n ->
    [one] { $n } сотрудник в MikoPBX
    [few] { $n } сотрудника в MikoPBX
   *[other] { $n } сотрудников в MikoPBX
}
verdict-true = полностью
verdict-false = не полностью
run-writes = Записано
writes-pbx = { $n ->
    [one] { $n } запись в MikoPBX
    [few] { $n } записи в MikoPBX
   *[other] { $n } записей в MikoPBX
}
writes-directory = { $n } в домен
run-plan = План
run-people = Что с кем стало
run-nobody-hint = Этому запуску не о ком было рассказать.
updated-any = где угодно
change-planned = не сделано
change-moved = не сделано: за это время изменилось
change-refused = отказ
change-unknown = отправлено, без ответа; следующий запуск посмотрит
undo-of = откат запуска { $n }
not-undone = Не отменено
and-others = и ещё { $n }
step-number = шаг { $n }
steps-title = Шаги запуска { $run }
steps-look = { $n ->
    [one] { $n } шаг
    [few] { $n } шага
   *[other] { $n } шагов
}
steps-lead = Каждая запись и то, что было до неё. Что сделает откат, сначала показывается как план.
steps-none = Шагов нет
steps-none-hint = Этот запуск ничего не записал, отменять нечего.
steps-of-person = Шаги
steps-of-all = Шаги всех
mark-all = Отметить все на этой странице
undo-run = Отменить этот запуск
undo-person = Отменить всё по этому человеку
undo-marked = Отменить отмеченные шаги
undo-hint = Сначала покажет, что сделает откат. Что с тех пор изменилось, останется.
undo-mark-some = Отметьте шаги, которые нужно отменить.
undo-busy = Для этого сервера уже что-то идёт. Повторите, когда закончится.
conflict-why-ambiguous-match = { $n ->
    [0] Связь { $name } с сотрудником отменена, и больше никто не совпадает. Без вашего ответа никто не будет создан.
   *[other] { $name }: совпадают несколько людей или сотрудников, или совпадение неполное. Никто не связан и не создан.
}
conflict-why-back-under-new-id = { $name }: совпадает с сотрудником, чей человек исчез из домена. Возможно, это тот же человек под новым id.
conflict-why-already-someones = { $name }: совпавший сотрудник уже принадлежит кому-то другому.
conflict-why-both-changed = { $field }: значение изменилось на обеих сторонах с последнего согласия. В домене — { $directory }, в MikoPBX — { $pbx }.
conflict-why-first-meeting = { $field }: стороны расходятся и ещё ни разу не согласились. В домене — { $directory }, в MikoPBX — { $pbx }.
conflict-why-several-values = { $field }: в домене несколько значений, и неизвестно, какое из них нужное.
conflict-why-unusable = { $field }: сохранённое значение не подходит. В домене — { $directory }, в MikoPBX — { $pbx }.
conflict-why-no-name = Домен не отдал имени, которое может быть у сотрудника.
conflict-why-number-taken = Внутренний номер { $directory } уже принадлежит другому.
conflict-why-number-wanted-twice = Внутренний номер { $directory } нужен нескольким людям домена.
conflict-why-number-swap = Людям пришлось бы меняться внутренними номерами по кругу: { $name } — сейчас { $pbx }, нужен { $directory }.
conflict-why-no-free-number = { $name }: нет свободного внутреннего номера.
conflict-why-employee-deleted = { $name }: сотрудника больше нет в MikoPBX, хотя человек активен в домене.
conflict-why-not-the-same-employee = { $name }: связанный сотрудник теперь другой — в MikoPBX изменились и номер, и имя, и почта.
conflict-why-refused = { $field }: { $who } не принимает изменение. В домене — { $directory }, в MikoPBX — { $pbx }.
conflict-why-refused-whole = { $name }: { $who } не принимает изменение целиком.
conflict-why-undone-join = { $name }: связь отменена.
way-use-directory = Взять из домена
way-use-pbx = Взять из АТС
way-new-employee = Создать нового сотрудника
way-employee-again = Создать сотрудника заново
way-same-human = Тот же человек: связать
way-same-employee = Всё-таки тот же сотрудник: связать
way-leave-out = Не синхронизировать этого человека
way-leave-as-is = Оставить как есть
way-retry = Попробовать снова
way-ask-again = Отменить ответ
way-pick = Это он
way-pick-this = Это { $name }
way-number = Другой номер
way-number-do = Назначить
way-keep-in-pbx = только в АТС; в домене остаётся своё значение
answer-employee = Это сотрудник { $id }
answer-not-these = Это не сотрудник { $ids }
answer-number = Назначить номер { $number }
answer-number-pbx = Назначить номер { $number } только в АТС
conflicts-remove = Убрать из списка
conflicts-clear-title = Очистить список
conflicts-clear-hint = Строки будут убраны, данные на обеих сторонах не изменятся. Всё, что ещё не решено, вернётся со следующей синхронизацией.
conflicts-clear-all = Очистить всё
conflicts-clear-server = Очистить всё для этого сервера
conflicts-answered = { $n ->
    [one] Ответ дан на { $n } конфликт. Его выполнит следующая синхронизация.
    [few] Ответ дан на { $n } конфликта. Его выполнит следующая синхронизация.
   *[other] Ответ дан на { $n } конфликтов. Его выполнит следующая синхронизация.
}
conflicts-left-as-is = { $n ->
    [one] { $n } конфликт оставлен как есть, пока не изменится любая из сторон.
    [few] { $n } конфликта оставлены как есть, пока не изменится любая из сторон.
   *[other] { $n } конфликтов оставлено как есть, пока не изменится любая из сторон.
}
conflicts-left-out = { $n ->
    [one] { $n } человек не синхронизируется, пока вы это не отмените.
    [few] { $n } человека не синхронизируются, пока вы это не отмените.
   *[other] { $n } человек не синхронизируются, пока вы это не отмените.
}
conflicts-asked-again = { $n ->
    [one] Отменён { $n } ответ. Следующая синхронизация посмотрит снова.
    [few] Отменены { $n } ответа. Следующая синхронизация посмотрит снова.
   *[other] Отменено { $n } ответов. Следующая синхронизация посмотрит снова.
}
conflicts-retried = { $n ->
    [one] Следующая синхронизация снова попробует { $n } изменение.
    [few] Следующая синхронизация снова попробует { $n } изменения.
   *[other] Следующая синхронизация снова попробует { $n } изменений.
}
conflicts-cleared = { $n ->
    [one] Убрана { $n } строка. Данные не изменились; нерешённое вернётся со следующей синхронизацией.
    [few] Убраны { $n } строки. Данные не изменились; нерешённое вернётся со следующей синхронизацией.
   *[other] Убрано { $n } строк. Данные не изменились; нерешённое вернётся со следующей синхронизацией.
}

## Настройки

settings-sign-in = Вход
settings-sessions = Сеансы
settings-tokens = Токены API
settings-notifications = Уведомления
settings-about = О программе
is-on = включено
is-off = выключено
old-password = Прежний пароль
old-password-wrong = Прежний пароль неверен. Ничего не изменено.
new-password = Новый пароль
new-password-hint = Оставьте пустым, чтобы сменить только логин.
sign-in-change-hint = Все остальные сеансы завершатся.
sign-in-changed = Логин и пароль изменены. Все остальные сеансы завершены; токены API продолжают действовать.
by-pbx-title = Вход через MikoPBX
by-pbx-lead = Кто может войти в веб-интерфейс MikoPBX, сможет войти и сюда с тем же логином и паролем. Rollcall каждый раз спрашивает АТС и ничего из этого не хранит.
by-pbx-no-pbx = АТС ещё не подключена.
by-pbx-is-on = Теперь сюда может войти каждый, кто может войти в MikoPBX.
by-pbx-is-off = Теперь может войти только администратор Rollcall. Сеансы остальных завершены.
sessions-lead = Все, кто вошёл. Сеанс завершается после 12 часов без использования и в любом случае через 7 дней.
sessions-end-others = Завершить все остальные
session-who = Логин
session-browser = Браузер
session-created = Вход
session-seen = Последний раз
session-this = этот
session-end = Завершить
session-ended = Сеанс завершён.
sessions-ended = Все остальные сеансы завершены.
tokens-lead = Токен позволяет программе делать через JSON API то же, что вы делаете здесь. Дайте каждой программе свой, чтобы его можно было отозвать отдельно.
tokens-none = Токенов нет
tokens-none-hint = Без токена JSON API никому не доступен.
token-new = Новый токен
token-name-hint = Кто будет им пользоваться, например: мониторинг
token-make = Создать токен
token-made = Токен { $name } создан. Скопируйте его сейчас: он не хранится и больше не будет показан.
token-created = Создан
token-used = Использован
token-revoke = Отозвать
token-revoke-name = Отозвать { $name }
token-revoke-sure = Отозвать { $name }? Программы с этим токеном сразу получат отказ.
token-revoked = Токен отозван.
notify-title = Кого уведомлять
notify-lead = Эта программа запускается, когда автоматический запуск остановлен или не удался и когда остановка закончилась сама. На стандартном вводе она получает один объект JSON.
notify-nobody = Пока никто не уведомляется.
notify-how = Какая это программа, задаётся на самой машине:
notify-failed = Программа завершилась с ошибкой; подробности в журнале.
notify-is-off = Теперь никто не уведомляется.
notify-test = Отправить проверку
notify-off = Никого не уведомлять
notify-taken = Программа { $program } приняла уведомление.
about-version = Версия
about-schema = Версия хранимых данных
about-licence = Лицензия
about-store = Хранилище
about-store-good = читается
about-pbx-set = подключена
about-pbx-unset = не подключена
about-people = Связанные люди
about-waiting = Отклонённые изменения в ожидании
about-taste = Язык и тема выбираются в меню. Их помнит браузер.
support-title = Файл для поддержки
support-lead = Файл для того, кто вам помогает: версии, настройки серверов и АТС, расписания, итоги последних запусков, счётчики, что остановила защита.
support-without = Без паролей, ключей и токенов, без имён, адресов почты и номеров людей. Посмотрите его перед отправкой.
support-do = Скачать
api-title = JSON API
api-lead = Большая часть этого доступна и программам. Описание — по адресу /api/v1/openapi.json, для тех, у кого есть токен.

### Что говорят внутренние части программы.

told-word-field-name = имя
told-word-field-extension = внутренний номер
told-word-field-mobile = мобильный
told-word-field-email = почта
told-word-field-photo = фотография
told-word-field-password = SIP-пароль
told-word-pbx = АТС
told-word-directory = домен
told-word-domain = домен
told-held-clears = очистка значений
told-held-creations = новые сотрудники
told-held-deletions = удаления в АТС
told-held-joins = связывание
told-held-leavers = уходы
told-held-renumberings = смена номеров
told-held-returns = возвращения
told-kind-disables = отключённые люди
told-kind-clears = очищенные значения
told-kind-renumberings = изменённые номера
told-kind-overwrites-pbx = перезаписанные значения в АТС
told-kind-overwrites-directory = перезаписанные значения в домене
told-kind-creations = созданные сотрудники
told-kind-lost = связанные сотрудники, пропавшие из АТС или заменённые в ней
told-trip-limit = { $kind }: { $people } из { $linked } связанных, предел { $limit }
told-trip-all = { $kind }: { $people } из { $linked } связанных, то есть все
told-trip-before = { $kind }: { $people } из { $linked } связанных, уже было остановлено раньше
told-look-never = никто ещё не смотрел, что сделает запуск этого сервера
told-look-changed = с тех пор как изменились настройки (что читать или откуда), никто не смотрел, что сделает запуск
told-value-no-dial = на `{ $raw }` АТС позвонить не может
told-value-blank = одни пробелы
told-value-placeholder = заглушка, а не адрес почты
told-value-no-email = это не адрес почты: { $why }
told-value-ext-letters = содержит буквы, а внутренний номер состоит из одних цифр
told-value-ext-phone = похоже на телефон: во внутреннем номере от 2 до 8 цифр
told-value-ext-else = содержит не только цифры от 0 до 9
told-value-ext-one = всего одна цифра, а во внутреннем номере их не меньше двух
told-value-ext-many = цифр { $digits }, а во внутреннем номере их не больше восьми
told-value-control = содержит управляющий символ { $code }: наберите имя заново
told-value-no-inner = в этом телефоне нет добавочного номера
told-value-inner = добавочный номер { $inner }: { $why }
told-value-phone-long = слишком длинно для телефона
told-value-phone-letters = содержит буквы: это не телефон
told-value-phone-several = несколько телефонов: оставьте один
told-value-phone-characters = содержит символы, которых в телефоне не бывает
told-value-phone-only-inner = только добавочный номер, а телефона перед ним нет
told-value-phone-no-digits = нет цифр: это не телефон
told-value-phone-few = слишком мало цифр для телефона
told-value-phone-many = слишком много цифр для одного телефона
told-value-no-bytes = пусто
told-value-no-picture = не картинка в формате JPEG, PNG, GIF или WEBP
told-holder-phone = другой телефон
told-holder-mobile = мобильный номер
told-holder-queue = очередь вызовов
told-holder-ivr = голосовое меню
told-holder-conference = конференц-комната
told-holder-parking = парковочное место
told-holder-application = приложение диалплана
told-holder-system = система
told-holder-else = другой внутренний номер
told-holder-of-pbx = { $holder } (АТС)
told-holder-in-directory = { $name } (домен)
told-holder-blocks = { $padded } в АТС, который его блокирует
told-holder-elsewhere = человек из другого домена или незаконченное создание
told-holder-meanwhile = тем временем кто-то другой
told-numbers-length = у большинства занятых номеров длина { $length }, а в АТС настроено { $configured }: свободные номера выдаются с длиной { $length }
told-number-taken = номер { $number } уже занят: { $by }
told-number-taken-free = номер { $number } уже занят: { $by }; рядом свободны: { $free }
told-number-two = номер { $number } нужен ещё и другим ({ $names }): его не получает никто
told-number-held-back = номер { $number } ещё занят: изменение его владельца задержано
told-number-circle = номером { $number } пришлось бы обмениваться по кругу, а за один шаг АТС этого не умеет
told-number-holder-stays = номер { $number } ещё занят: его владельцу не удалось дать другой
told-number-none = в диапазонах этого сервера нет свободных номеров: расширьте их
told-number-none-any-more = в диапазонах этого сервера больше нет свободных номеров
told-number-not-free = номер занят
told-left-out = администратор решил не синхронизировать этого человека
told-ignored = { $state }; сотрудника в АТС нет
told-inactive = неактивен
told-ask-back = этот сотрудник принадлежит человеку, которого больше нет: он вернулся под новым id?
told-ask-someones = подходящий сотрудник уже связан: { $owner }
told-ask-undone = связь с сотрудником была отменена, а больше никто не подходит: пока кто-нибудь не решит, никто не создаётся
told-ask-several = подходят несколько людей или сотрудников либо совпадение неполное: никто не связан и не создан
told-owner-here = это { $name }
told-owner-there = кто-то на сервере `{ $server }`
told-owner-else = кто-то другой
told-email-several = адрес { $mail } есть сразу у нескольких людей: { $people }
told-not-created = не создан: одна из сторон прочитана не полностью
told-not-joined = не связан: одна из сторон прочитана не полностью
told-not-disabled = не перенесён в отключённые: чтение было неполным
told-not-taken-back = не возвращён из отключённых: чтение было неполным
told-not-seen = не встретился при чтении, но оно было неполным
told-not-seen-employee = сотрудник не встретился: АТС прочитана не полностью
told-not-ended = связь не прекращена: чтение было неполным
told-read-missed = чтение пропустило людей, которые на самом деле есть
told-read-nobody-looked = никто не посмотрел, куда они делись
told-name-unusable = имя использовать нельзя: { $why }
told-name-none = у человека в домене нет имени, а сотруднику оно нужно: заполните атрибут или сопоставьте другой
told-left-disabled = отключён в домене
told-left-expired = срок учётной записи истёк
told-left-locked = учётная запись заблокирована навсегда
told-left-deleted = удалён из домена
told-left-moved = перенесён из синхронизируемой части домена
told-left-filtered = больше не проходит через фильтр
told-left-unlinked = { $words }; сотрудник удалён в АТС, и связь прекращается
told-field-both = с прошлого согласования значение изменилось на обеих сторонах, и по-разному
told-field-first = значения на сторонах разные и ещё ни разу не были согласованы
told-field-several = в домене несколько значений поля «{ $field }», и неизвестно, какое из них имеется в виду
told-field-unusable = поле «{ $field }» ({ $side }) использовать нельзя: { $why }
told-employee-deleted-active = сотрудник удалён в АТС, но человек в домене активен
told-employee-other = у сотрудника { $id } в АТС изменились и номер, и имя, и почта: похоже, это кто-то другой (АТС восстановлена из копии или заменена?)
told-held-back-stopped = задержано: это остановил предохранитель ({ $kinds })
told-held-why-stopped = из-за этого предохранитель остановил запуск; разрешите или отбросьте план того запуска либо измените пределы
told-undo-nobody-left = сотрудник удалён в АТС: связывать больше не с кем
told-undo-state = состояние учётной записи только наблюдается: оно таково, как говорит домен, и не отменяется
told-undo-linked = сейчас человек связан с сотрудником { $id }
told-undo-employee-gone = сотрудника уже нет, или он теперь связан с другим человеком
told-undo-was-empty = раньше здесь было пусто, а поле «{ $field }» никогда не очищается: если значение не нужно, уберите его вручную
told-undo-picture = прежняя фотография больше не хранится
told-undo-same = значение и так прежнее
told-undo-not-linked = человек больше не связан с сотрудником
told-undo-rests = { $why }: данные не меняются
told-undo-not-found = сотрудник в АТС не найден
told-undo-other = похоже, это другой сотрудник: сначала ответьте на этот конфликт
told-undo-no-write-pbx = поле «{ $field }» больше не записывается в АТС
told-undo-no-write-directory = поле «{ $field }» больше не записывается в домен
told-undo-partial = одна из сторон прочитана не полностью: { $why }
told-undo-parted = связь отменена: сотрудник остаётся в АТС, и снова эти двое не связываются
told-undo-out = человека больше нет в синхронизируемой части домена
told-undo-rotate = SIP-пароли не хранятся, поэтому старый вернуть нельзя: задайте новый на любой стороне, и следующая синхронизация перенесёт его на другую
told-undo-created = Rollcall никогда не удаляет сотрудников: если этот не нужен, удалите в АТС сотрудника { $id } с номером { $number }
told-undo-created-unknown = Rollcall никогда не удаляет сотрудников: если этот не нужен, удалите в АТС сотрудника с номером { $number }
told-undo-unread = не удалось прочитать, что сейчас стоит там ({ $side })
told-undo-changed = с тех пор значение изменилось: теперь там `{ $now }`
told-undo-emptied = с тех пор значение изменилось: теперь там пусто
told-create-late = прежний запрос на этого сотрудника выполнен с опозданием; его свяжет следующий запуск
told-create-occupied = свободные номера один за другим оказались заняты ({ $n }); следующий запуск попробует снова
told-create-new = новый в домене
told-create-password = SIP-пароль тем временем изменился в домене
told-create-generated = { $why }; сотрудник получил в АТС созданный пароль
told-step-found = создан прежним запуском, который прервался, не успев это отметить
told-step-matched = совпало: { $keys }
told-step-decided = так решил администратор
told-step-deleted = сотрудник удалён в АТС
told-step-other = похоже, это другой сотрудник
told-step-same = это всё-таки тот же сотрудник
told-step-undo = отмена шага { $seq } запуска { $run }
told-write-not-tried = не пробовали: { $why }
told-write-moved = значение тем временем изменилось ({ $side }): следующий запуск сравнит его снова
told-write-unknown = неизвестно, принял ли домен значение: { $why }. Следующий запуск посмотрит
told-write-directory-gone = домен пропал: { $why }
told-write-by-itself = АТС сама изменила его, когда сохранялось другое поле
told-write-no-clear = SIP-пароль никогда не очищается
told-write-small-picture = размер фотографии в байтах: { $n }, а АТС не принимает меньше 1 КиБ
told-write-stored = вместо этого сохранено `{ $value }` ({ $side })
told-canary-nobody = в списке никого нет, поэтому поиску пропавших верить нельзя
told-fence-over = право этого запуска на запись истекло, поэтому больше ничего не отправляется
told-fence-lost = право на запись для сервера `{ $server }` истекло, пока процесс простаивал; запуск остановился между двумя записями, и следующий продолжит с этого места
told-follow-left = больше никто не ждёт; другой процесс продолжает
told-follow-failed = запуск { $run } другого процесса, которого этот ждал, завершился ошибкой: { $why }
told-follow-silent = причина неизвестна
told-read-server = не удалось прочитать сервер `{ $server }`
told-read-server-why = не удалось прочитать сервер `{ $server }`: { $why }
told-read-pbx = не удалось прочитать АТС
told-read-pbx-why = не удалось прочитать АТС: { $why }
told-read-empty = в домене никого не нашлось: проверьте корень домена, подразделения и фильтр
told-read-when = неизвестно, когда менялись данные { $id }: { $why }
told-read-away = домен пропал: { $why }
told-read-look-up = пропавшего человека не удалось найти: { $why }
told-read-pictures = не все фотографии удалось прочитать из домена: { $why }
told-read-record = не удалось прочитать запись сотрудника { $id }: { $why }
told-read-picture = не удалось прочитать фотографию сотрудника { $id }: { $why }
told-read-fewer = прочитано { $read } ({ $what }), а в прошлый раз при тех же настройках { $before }: если так и должно быть, повторите с --expect-fewer; если нет, посмотрите, что стало с остальными
told-read-people = люди
told-read-employees = сотрудники
told-guard-stopped = запуск остановлен предохранителем
told-guard-stops = остановлено начиная с запуска { $run }: разрешите его план (`{ $release }`), отбросьте его (`{ $discard }`) или измените пределы (`{ $edit }`)
told-guard-ended = { $kind }: то, что предохранитель остановил в запуске { $run }, прошло само: больше это никого не касается
told-plan-done = план { $hash } уже выполнен или отброшен
told-plan-not-done = { $name }: не сделано, { $why }
told-plan-moved = { $name }: не сделано, после составления плана одна из сторон изменилась; запросите план заново
told-plan-not-part = не входит в просмотренный план или с тех пор изменился
told-plan-none = плана `{ $hash }` нет; составьте его запросом
told-plan-several = с `{ $hash }` начинается несколько планов; укажите больше знаков
told-plan-unreadable = сохранённый план { $hash } не читается; запросите план заново
told-recover-unknown = неизвестно, что стало с незаконченным созданием: { $why }
told-run-cancelled = отменено; остальное сделает следующий запуск
told-run-no-report = запуск { $run } сервера `{ $server }` закончился без отчёта
told-undo-no-run = запуска { $run } нет
told-undo-removed = запуск { $run } был на сервере `{ $server }`, который с тех пор удалён
told-undo-nothing = запуск { $run } не записал ничего, что можно отменить
told-undo-no-step = в запуске { $run } нет шага { $seq }
told-undo-no-step-of-person = в запуске { $run } нет шага { $seq } с этим человеком
told-undo-nobody = в запуске { $run } ничего не делалось с `{ $query }`; укажите имя целиком или id
told-undo-several = `{ $query }` — это несколько людей: { $one }, { $other }, …; укажите id
told-undo-refused = было отказано: ничего не записано
told-undo-unknown = пока неизвестно, произошло ли это: следующая синхронизация посмотрит
told-undo-journal = журнал в этом месте не читается
told-undo-already = запуск { $run } уже отменён
told-undo-already-some = { $steps } (запуск { $run }): уже отменены
told-undo-moved = после составления плана одна из сторон изменилась: посмотрите ещё раз
told-undo-partly = не все значения удалось вернуть, поэтому связь остаётся; чтобы всё же прекратить её, отмените только этот шаг
told-undo-was-refused = отказано
told-never-deleted = сотрудники никогда не удаляются
told-canary-doubt = { $name } ({ $dn }): только что был в списке, но поиск по { $attribute } { $seen }; поэтому никто из пропавших не считается ушедшим. Разрешите учётной записи поиск по { $by } во всём домене и проверьте, что все адреса этого сервера ведут в один и тот же домен
told-canary-nobody-found = никого не находит
told-canary-elsewhere = находит его в другом месте, { $dn }
told-canary-filter = находит его вне фильтра
told-canary-refused = отклонён: { $why }
told-canary-failed = не удался: { $why }
told-canary-somebody = кто-то

# Домен: настройки, ответы серверов и проверка соединения.
told-ldap-code = { $why } (код LDAP { $code })
told-ldap-code-text = { $why } (код LDAP { $code }: { $text })
told-ldap-no-connection = { $address }: нет соединения: { $why }
told-ldap-no-tls = { $address }: нет защищённого соединения: { $why }
told-ldap-no-tls-seen = { $address }: нет защищённого соединения: { $why }; отпечаток SHA-256 показанного сертификата: { $seen }
told-ldap-sign-in-refused = { $address }: во входе отказано: { $why }
told-ldap-lost = { $address }: соединение потеряно: { $why }
told-ldap-no-person = записи с идентификатором { $id } в домене больше нет
told-ldap-account-off = учётная запись отключена или пароль пуст: проверьте учётную запись в домене
told-ldap-no-account = такой учётной записи нет: проверьте имя для входа
told-ldap-no-way-in = так эта учётная запись войти не может: возможно, у неё нет пароля
told-ldap-no-starttls = сервер не предлагает StartTLS: выберите LDAPS или установите серверу сертификат
told-ldap-16-write = в `{ $what }` уже не то значение, которое было прочитано, или домен не знает этого атрибута: проверьте сопоставление атрибутов и схему
told-ldap-1 = в этом состоянии сервер не может этого сделать: возможно, он не допускает анонимных запросов; проверьте вход
told-ldap-2 = сервер не понял запроса
told-ldap-3 = ответ не уложился в предел времени сервера: поднимите предел для этой учётной записи или выберите подразделения поменьше
told-ldap-4 = ответ не уложился в предел размера сервера: поднимите предел для этой учётной записи (постраничные результаты) или уменьшите размер страницы
told-ldap-7 = сервер не поддерживает такой способ входа
told-ldap-8 = для этого серверу нужно защищённое соединение: выберите LDAPS или StartTLS
told-ldap-10 = сервер говорит, что за это отвечает другой сервер: проверьте корень домена и адрес сервера
told-ldap-11 = достигнут административный предел сервера: поднимите для этой учётной записи пределы просмотра и страниц или уменьшите размер страницы
told-ldap-12 = сервер не поддерживает расширения, без которого здесь не обойтись
told-ldap-13 = сервер отвечает только по зашифрованному соединению: выберите LDAPS или StartTLS
told-ldap-16 = в записи больше нет `{ $what }`
told-ldap-17 = схема домена не знает `{ $what }`: выберите другой атрибут или дополните схему
told-ldap-18 = сервер не умеет сравнивать `{ $what }`
told-ldap-19 = правило домена не допускает такого значения `{ $what }`
told-ldap-20 = `{ $what }` тем временем заполнил кто-то другой, или там может быть только одно значение
told-ldap-21 = домен не принимает такого значения `{ $what }`: оно слишком длинное, пустое или не той формы
told-ldap-32 = такой записи нет: проверьте имя корня домена или подразделения; возможно также, что учётной записи не разрешено её видеть
told-ldap-34 = ошибка в DN: проверьте корень домена и подразделения
told-ldap-50-write = у учётной записи нет права изменять `{ $what }`: дайте ей право записи этого атрибута у этих людей
told-ldap-50 = у учётной записи нет права это читать: дайте ей право чтения
told-ldap-51 = сервер занят: попытка повторится позже
told-ldap-52 = сервер сейчас недоступен: попытка повторится позже
told-ldap-53 = сервер не хочет этого делать: возможно, { $what } ведёт он сам, или каталог открыт только для чтения
told-ldap-the-attribute = этот атрибут
told-ldap-64 = `{ $what }` входит в имя записи, и так его изменить нельзя
told-ldap-65 = классы объекта не допускают `{ $what }`: добавьте этим людям класс, в котором он есть, или выберите другой атрибут
told-ldap-71 = изменение затронуло бы несколько серверов
told-ldap-122 = запись тем временем изменилась: следующий запуск посмотрит на неё снова
told-ldap-4096 = сервер просит прочитать всё заново
told-ldap-other = сервер отказал, и код ничего не объясняет
told-ldap-525 = учётной записи не существует: проверьте имя для входа
told-ldap-52e = имя или пароль неверны; имя пишется как user@domain, DOMAIN\user или полный DN
told-ldap-530 = учётной записи нельзя входить в это время суток
told-ldap-531 = учётной записи нельзя входить с этой машины
told-ldap-532 = срок действия пароля учётной записи истёк: задайте новый или сделайте его бессрочным
told-ldap-533 = учётная запись отключена: включите её в домене
told-ldap-568 = учётная запись состоит в слишком многих группах
told-ldap-701 = срок действия учётной записи истёк: продлите его в домене
told-ldap-773 = учётная запись должна сначала сменить пароль: снимите этот флаг или задайте новый пароль
told-ldap-775 = учётная запись заблокирована после неверных паролей: разблокируйте её в домене
told-ldap-49 = имя или пароль неверны, или учётная запись заблокирована
told-dial-no-certificate = без шифрования сервер не показывает сертификата: выберите LDAPS или StartTLS
told-dial-unreadable-certificate = сертификат сервера не читается
told-dial-tls-unanswered = он не ответил на запрос TLS
told-dial-tls-early = он прислал данные до начала TLS: возможно, кто-то вмешивается
told-dial-bind-unanswered = он не ответил на вход
told-dial-search-other = на поиск он ответил чем-то другим
told-dial-search-endless = он без конца отвечает на поиск
told-dial-change-other = на изменение он ответил чем-то другим
told-dial-given-up = от него уже отказались
told-dial-no-data-taken = он 60 секунд не принимал данных
told-dial-unasked = он ответил на то, о чём никто не спрашивал
told-dial-abandoned = он без конца отвечает на поиск, от которого отказались
told-dial-closed = сервер его закрыл
told-dial-silent = сервер не отвечал 60 секунд
told-dial-ended = сервер его завершил: { $why }
told-dial-unasked-message = он прислал непрошеное сообщение, которого никто не знает
told-dial-no-address = у имени нет адреса
told-dial-slow = нет ответа { $s } секунд: проверьте адрес, порт и межсетевой экран
told-dial-bind-slow = 30 секунд нет ответа на вход
told-dial-is-ldaps = { $why }: если это порт LDAPS, выберите LDAPS
told-dial-unknown-name = имя неизвестно: проверьте адрес сервера ({ $why })
told-dial-refused = в соединении отказано: сервера каталога там нет; проверьте порт
told-dial-no-answer = нет ответа: проверьте адрес, порт и межсетевой экран
told-dial-no-way = к этому адресу нет пути: проверьте сеть и адрес
told-frame-unknown = сообщение — не ответ LDAP, который можно понять
told-frame-not-ldap = он присылает не LDAP: верны ли порт и защита?
told-frame-large = он объявил сообщение больше 16 МиБ
told-frame-length = он прислал длину, которой в LDAP не бывает
told-frame-parts = он прислал сообщение, части которого не сходятся
told-frame-deep = он прислал слишком глубоко вложенное сообщение
told-frame-no-answer = он прислал то, что не бывает ответом клиенту
told-look-up = поиск ({ $what }): { $why }
told-look-group = чтение группы: { $why }
told-look-person = чтение записи человека: { $why }
told-look-at = чтение `{ $dn }`: { $why }
told-look-schema = чтение схемы: { $why }
told-look-below = просмотр того, что ниже `{ $dn }`: { $why }
told-look-roots = поиск корней домена: { $why }
told-look-rights = запрос прав: { $why }
told-look-ends = подсчёт заканчивается на { $n }
told-look-roots-none = сервер их не называет: впишите корень домена сами
told-look-schema-none = сервер не говорит, где его схема
told-look-not-allowed = учётной записи не разрешено это видеть
told-id-several = у нескольких записей один { $attribute } `{ $id }`: выберите атрибут-идентификатор с неповторяющимися значениями
told-dns-none = `{ $name }` говорит, что их нет
told-dns-stranger = `{ $name }` называет `{ $stranger }` не из этого домена, и его сертификат ничего бы не доказал
told-dns-no-srv = в DNS нет записей SRV для `{ $name }`
told-dns-failed = запрос DNS о `{ $name }`: { $why }
told-dns-advice = { $why }: проверьте имя домена и серверы имён этой машины или впишите серверы сами
told-dn-comma = заканчивается запятой
told-dn-no-equals = нет `=`: пишется OU=Sales,DC=example,DC=com
told-dn-no-attribute = перед `=` нет имени атрибута, такого как OU или DC
told-dn-no-value = после `=` нет значения
told-dn-end = после последнего `\` ничего нет
told-dn-special = перед `"`, `;`, `<` и `>` ставится `\`
told-dn-utf8 = значение после `\` — не текст (UTF-8)
told-filter-wrong = ошибка в фильтре, символ { $at }: { $why }
told-filter-long = он длиннее 16 384 байт
told-filter-empty = он пуст
told-filter-closing = лишняя закрывающая скобка
told-filter-behind = после конца фильтра что-то есть
told-filter-no-opening = нет открывающей скобки
told-filter-no-closing = нет закрывающей скобки
told-filter-deep = вложенность больше 32 уровней
told-filter-colon = после `:` нет `=`
told-filter-attribute = нет имени атрибута, или в нём недопустимый символ
told-filter-operator = после атрибута нет ни одного из `=`, `>=`, `<=`, `~=`, `:=`
told-filter-half = после `>`, `<` или `~` нет `=`
told-filter-star = `*` допустима только после `=`: сам символ пишется \2a
told-filter-stars = две `*` стоят рядом
told-filter-rule = ошибка в правиле сравнения перед `:=`
told-filter-no-rule = перед `:=` нет ни атрибута, ни правила сравнения
told-filter-parenthesis = `(` стоит внутри значения: пишется \28
told-filter-nul = внутри значения стоит NUL: пишется \00
told-filter-hex = после `\` нет двух шестнадцатеричных цифр
told-filter-utf8 = значение — не текст (UTF-8): двоичные значения в фильтре не используются
told-group-unknown = неизвестно, вышел ли `{ $dn }` из группы `{ $group }`: { $why }
told-group-hidden = учётная запись не видит, кто состоит в `{ $group }`
told-group-not-allowed = учётной записи не разрешено видеть группу
told-group-not-said = `{ $dn }` состоит в `{ $group }`, но в записи этого нет: пусть сервер ведёт `memberOf` (OpenLDAP: оверлей memberof, после включения группы надо заполнить заново), а учётная запись может его читать
told-scope-unreadable = `{ $base }` не читается, поэтому неизвестно, кто входит в область
told-scope-context = учётная запись не может искать в `{ $context }`, поэтому неизвестно, удалён человек или перемещён: { $why }
told-map-twice = `{ $name }` сопоставлен сразу двум полям: { $one } и { $other }
told-map-no-name = `{ $name }` — не имя атрибута ({ $field })
told-map-no-name-template = `{ $name }` — не имя атрибута (шаблон `{ $text }`)
told-map-word-state = состояние учётной записи
told-map-word-id = атрибут-идентификатор
told-map-nul = содержит символ NUL
told-map-utf8 = это не текст (UTF-8)
told-map-inner = часть номера ({ $source }) может быть только внутренним номером, но не полем «{ $field }»
told-map-template = поле «{ $field }» нельзя составить по шаблону
told-map-template-empty = в шаблоне поля «{ $field }» нет ни одного атрибута в фигурных скобках
told-map-syntax = `{ $text }` — не имя атрибута: ожидается `mail`, `telephoneNumber{ $inner }` или `{"{"}givenName{"}"} {"{"}sn{"}"}`
told-map-closing = `{"}"}` без `{"{"}` в шаблоне `{ $text }`
told-map-opening = в шаблоне `{ $text }` не хватает `{"}"}`
told-rights-kind = такой сервер не говорит, что можно изменять: это покажет первая запись
told-rights-certificate = сервер говорит, что может изменять имя, а вход по сертификату имени не даёт
told-rights-untold = сервер не говорит, что можно изменять: { $why }
told-rights-silent = в ответе сервера не сказано, что можно изменять
told-rights-gone = `{ $dn }` больше не читается
told-read-own-limit = остановлено на собственном пределе
told-read-empty-pages = сервер отдаёт страницу за страницей, и на них никого
told-read-no-pages = сервер отдал первую страницу, но не говорит, что умеет отдавать по страницам
told-set-ou-outside = подразделение `{ $ou }` не лежит ниже корня домена `{ $base }`
told-set-filter = дополнительный фильтр: { $why }
told-set-region = регион `{ $region }` — не двухбуквенный код страны, такой как RU или DE
told-set-page = размер страницы — не меньше 1
told-set-exclude-outside = исключённое подразделение `{ $ou }` не лежит ниже корня домена `{ $base }`
told-set-exclude-all = исключённое подразделение `{ $ou }` ничего не оставляет от `{ $base }`
told-set-either = укажите либо адреса серверов, либо домен, который их называет, но не то и другое
told-set-domain = `{ $domain }` — не домен DNS: пишется как example.org
told-set-bare = адрес сервера `{ $host }` пишется одним именем: порт и защита задаются рядом
told-set-clear = без шифрования пароль и все данные пойдут по сети к `{ $host }` открытым текстом: выберите LDAPS или StartTLS либо явно разрешите это
told-set-ldapi = сокету Unix (ldapi://) TLS не нужен: уберите защиту
told-set-no-name = не указано имя для входа
told-set-no-password = не указан пароль
told-set-no-host = не указан адрес сервера
told-set-external = для входа по сертификату нужен клиентский сертификат или адреса ldapi://
told-set-external-tls = для входа по сертификату нужны LDAPS или StartTLS
told-set-missing = не указано: { $what }
told-set-not-dn = { $what }: `{ $text }` — не DN: { $why }
told-set-word-root = корень домена
told-set-word-excluded = исключённое подразделение
told-set-fingerprint = в отпечатке SHA-256 64 шестнадцатеричные цифры
told-snap-stopped = `{ $base }`: чтение остановилось на { $count }: { $why }
told-snap-none = ни одно из подразделений не читается: { $why }
told-snap-root = корень домена `{ $dn }` не читается
told-snap-ou = подразделение `{ $dn }` не читается
told-snap-excluded = исключённое подразделение `{ $dn }` не читается
told-snap-group = группа `{ $dn }` не читается
told-snap-root-why = корень домена `{ $dn }`: { $why }
told-snap-ou-why = подразделение `{ $dn }`: { $why }
told-snap-excluded-why = исключённое подразделение `{ $dn }`: { $why }
told-snap-group-why = группа `{ $dn }`: { $why }
told-snap-no-id = { $dn }: нет пригодного { $attribute }, пропущен
told-snap-early = поиск закончился раньше времени
told-snap-more = и ещё { $n } таких же
told-snap-no-ids = записей без идентификатора: { $n }, и неизвестно, кто это: разрешите учётной записи его читать
told-snap-referrals = часть каталога (ссылок: { $n }) теперь на другом сервере, раньше этого не было; первая: { $first }
told-snap-nobody = никто не найден, хотя связано людей: { $n }; проверьте корень домена, фильтр и право чтения
told-tls-unanswered = нет ответа на рукопожатие TLS
told-tls-no-host = `{ $host }` — не имя узла и не адрес
told-tls-pair = клиентский сертификат и его ключ не подходят друг другу: { $why }
told-tls-no-proof = сервер не доказал, что владеет своим ключом
told-tls-system = системные центры сертификации не читаются: { $why }
told-tls-ca = сертификат ЦС не годится: { $why }
told-tls-ca-pem = сертификат ЦС — не текст PEM: { $why }
told-tls-ca-none = в тексте ЦС нет сертификата: вставьте часть, начиная с -----BEGIN CERTIFICATE-----
told-tls-client-pem = клиентский сертификат — не текст PEM с -----BEGIN CERTIFICATE-----
told-tls-client-key = нет закрытого ключа клиентского сертификата
told-tls-client-key-pem = закрытый ключ клиентского сертификата — не текст PEM с -----BEGIN PRIVATE KEY-----
told-tls-none = на этом порту сервер не говорит по TLS: проверьте порт и защиту
told-tls-alert = сервер прервал рукопожатие TLS: { $alert }; возможно, ему нужен клиентский сертификат или другая версия TLS
told-tls-failed = рукопожатие TLS не удалось: { $why }
told-tls-ended = соединение прервалось во время рукопожатия TLS ({ $why }): есть ли у сервера сертификат и тот ли это порт TLS?
told-tls-expired = срок действия сертификата сервера истёк: обновите его и проверьте часы этой машины
told-tls-early = сертификат сервера ещё не действует: проверьте часы обеих машин
told-tls-unknown-ca = сертификат сервера выдан центром, которому здесь не доверяют: укажите сертификат ЦС или примите этот сертификат по отпечатку
told-tls-name = сертификат сервера выдан не для имени `{ $host }`: укажите имя, для которого он выдан, или примите его по отпечатку
told-tls-name-but = сертификат сервера выдан не для имени `{ $host }`, а для { $names }: укажите это имя или примите сертификат по отпечатку
told-tls-no-name = в subjectAltName сертификата сервера нет узла, и сравнить его с `{ $host }` нельзя: примите его по отпечатку
told-tls-other-pin = сервер показывает не тот сертификат, который был принят: если его обновили, примите новый; если никто не обновлял, возможно, кто-то подслушивает
told-tls-no-key = у сервера нет ключа сертификата, который он показывает
told-tls-revoked = сертификат сервера отозван
told-tls-weak = подписи сертификата сервера больше не доверяют (SHA-1?): обновите его или примите по отпечатку
told-tls-self-signed = сервер показывает сертификат ЦС как собственный (самоподписанный): примите его по отпечатку
told-tls-refused = сертификат сервера отвергнут: { $why }
told-write-nothing = ничего не записано: { $why }
told-write-limit = до этого поля достигнут предел: шесть запросов на человека
told-write-no-csn = `entryCSN` не читается, а без него это значение ничем не защищено: разрешите учётной записи его читать
told-write-read-back = выполнено, но прочитать записанное не удалось: { $why }
told-write-two = два значения встретились, и забрать своё обратно не удалось: { $why }
told-write-hidden = для учётной записи `{ $attribute }` пуст, но на сервере там есть значение: разрешите его читать
told-write-unmapped = поле «{ $field }» не сопоставлено ни с каким атрибутом
told-write-rdn = `{ $name }` — имя записи, оно никогда не изменяется
told-write-made = поле «{ $field }» составлено из `{ $source }`, записать его обратно нельзя
told-test-names = { $domain } называет { $servers }
told-test-known = { $host }: имя известно
told-test-answers = { $host }: сервер отвечает
told-test-plain = { $host }: без шифрования
told-test-trusted = { $host }: сертификату доверяют
told-test-other = неудача, но { $other } отвечает: { $why }
told-test-signed-in = вход выполнен
told-test-signed-in-to = вход выполнен: { $vendor }
told-test-readable = `{ $dn }` читается
told-test-left-out = `{ $dn }` исключено
told-test-nobody = никто не найден: { $why }
told-test-check = проверьте корень домена, подразделения и фильтр
told-test-more = на первой странице найдено людей: { $count }, есть и ещё
told-test-found = найдено людей: { $count }
told-test-no-members = в `{ $group }` нет членов, которых нам видно
told-test-no-members-primary = в `{ $group }` нет членов, которых нам видно; основная группа, такая как «Пользователи домена», своих людей не считает
told-test-ids = пригодный `{ $attribute }`: { $count } из { $all }
told-test-ids-why = пригодный `{ $attribute }`: { $count } из { $all }: { $why }
told-test-ids-others = остальные пропускаются
told-test-ids-type = верен ли тип и может ли учётная запись читать этот атрибут?
told-test-ids-name = верно ли имя атрибута-идентификатора и может ли учётная запись его читать?
told-test-seen = { $field } из `{ $name }`: { $count }
told-test-attributes = из { $n } человек: { $seen }
told-test-attributes-never = из { $n } человек: { $seen }; ни у кого нет { $never }: верно ли имя и может ли учётная запись его читать?
told-test-none-mapped = не сопоставлено ни одного атрибута, который можно изменять
told-test-may = можно изменять { $yes }
told-test-may-not = нельзя изменять { $no }: дайте учётной записи право их изменять, если только эти поля не должны лишь читаться из домена
told-test-may-both = можно изменять { $yes }, но нельзя { $no }: дайте учётной записи право их изменять, если только эти поля не должны лишь читаться из домена
told-test-kind = верен ли тип { $kind }? похоже на { $seen }

# АТС и фотографии.
told-pbx-settings = так соединиться с АТС нельзя: { $why }
told-pbx-unreachable = АТС по адресу { $url } недоступна: { $why }. Проверьте адрес, порт и межсетевой экран
told-pbx-untrusted = сертификату { $url } не доверяют: { $why }. MikoPBX делает сертификат сама, если ей не установили другой: сверьте отпечаток SHA-256 и примите его или укажите сертификат центра
told-pbx-redirected = { $url } перенаправляет на { $location }: впишите этот адрес (MikoPBX перенаправляет с http на https)
told-pbx-not-signed-in = АТС не приняла вход: { $why }
told-pbx-not-permitted = этому входу АТС не разрешает: { $action }. Дайте ему { $grant }; изменённый ключ начинает действовать в течение 5 минут
told-pbx-busy = АТС занята: { $why }
told-pbx-no-answer = АТС не справилась с запросом ({ $what }): { $why }; она перегружена, или её обработчики API остановились: проверьте АТС, при необходимости перезапустите
told-pbx-unknown = неизвестно, выполнила ли АТС запрос ({ $what }): { $why }. Следующий запуск посмотрит снова
told-pbx-gone = сотрудника { $id } в АТС больше нет
told-pbx-occupied = номер { $number } в АТС уже занят: { $holder }
told-pbx-refused = АТС отказала (код { $status }): { $text }. { $advice }
told-pbx-unusable = поле «{ $field }» в АТС не сохранить: { $why }
told-pbx-moved = поле «{ $field }» тем временем изменилось в АТС: следующий запуск сравнит его снова
told-pbx-not-tried = поле «{ $field }» не пробовали: АТС отказала в слишком многих запросах об этом сотруднике подряд
told-pbx-too-large = ответ { $url } больше { $limit } байт
told-pbx-no-api = у { $url } нет этой функции: Rollcall нужна MikoPBX 2025.1.1 или новее
told-pbx-bad-answer = { $url } отвечает ({ $status }) не как MikoPBX: { $start }
told-pbx-advice-create = Создайте сотрудника на странице самой АТС: она назовёт значение, в котором ошибка
told-pbx-advice-name = Измените имя: АТС не принимает слов, похожих на SQL или разметку
told-pbx-advice-number = Выберите другой номер: от 2 до 8 цифр, в АТС больше ничем не занятый
told-pbx-advice-mobile = Мобильный в АТС не повторяется, и его не убрать, пока он стоит в чьей-то переадресации или в маршруте
told-pbx-advice-email = Исправьте адрес почты
told-pbx-advice-photo = Возьмите другую фотографию: JPEG, PNG, GIF или WEBP не меньше 1 КБ
told-pbx-advice-password = Выберите другой SIP-пароль: длинный, из разных символов и не обычное слово
told-pbx-advice-other = Откройте сотрудника в АТС и сохраните там: страница назовёт значение, в котором ошибка
told-pbx-advice-filter = Измените значение или запустите Rollcall на самой АТС, где ничего не фильтруется
told-pbx-name-long = длиннее { $n } символов, остальное АТС отрезала бы
told-pbx-name-control = содержит управляющие символы
told-pbx-name-http = начинается с http: АТС убрала бы пробелы
told-pbx-name-tag = содержит что-то похожее на тег HTML
told-pbx-name-script = содержит что-то похожее на сценарий (on…=)
told-pbx-name-attack = АТС принимает его за атаку из-за { $found }
told-pbx-words-union = слов union … select
told-pbx-words-delete = слов delete … from
told-pbx-words-insert = слов insert … into
told-pbx-words-update = слов update … set
told-pbx-number = во внутреннем номере от 2 до 8 цифр и больше ничего
told-pbx-mobile = мобильный номер — от 2 до 15 цифр, первая не 0
told-pbx-email-at = нет @
told-pbx-email-long = длиннее { $n } символов
told-pbx-email-local = до @ — от 1 до { $n } символов
told-pbx-email-ascii = АТС принимает адреса только из ASCII
told-pbx-email-dot = АТС нужен домен с точкой
told-pbx-email-http = начинается с http
told-pbx-photo-small = в ней { $n } байт, а АТС нужно не меньше 1024
told-pbx-photo-kind = это не JPEG, PNG, GIF или WEBP
told-pbx-photo-large = больше { $n } байт
told-pbx-secret-short = короче { $n } символов
told-pbx-secret-long = длиннее { $n } байт
told-pbx-secret-blank = начинается или кончается пробелом либо содержит управляющие символы, а АТС их убирает
told-pbx-secret-http = начинается с http: АТС изменила бы его
told-pbx-secret-known = его знают все
told-pbx-secret-weak = для АТС он слаб (стойкость { $score }, нужно не меньше { $least }): сделайте его длиннее, из разных символов
told-pbx-test-users = пользователей: { $n }
told-pbx-test-numbers = занято номеров: { $n }
told-pbx-test-answers = MikoPBX отвечает
told-pbx-do-ping = ответить на ping
told-pbx-do-numbers = читать занятые номера
told-pbx-do-read = читать сотрудников
told-pbx-do-read-one = читать сотрудника
told-pbx-do-write = создавать и изменять сотрудников
told-pbx-do-create = создавать сотрудников
told-pbx-do-change = изменять сотрудников
told-pbx-do-pictures = читать фотографии
told-pbx-do-length = читать длину номеров
told-pbx-do-stay = продолжить сеанс
told-pbx-do-sign-in = войти
told-pbx-listed = в АТС по её счёту { $total } пользователей, а в списке { $n }
told-pbx-numbers-unknown = занятые номера неизвестны: { $why }
told-pbx-numbers-missing = в списке номеров АТС не хватает номеров сотрудников: { $n }, среди них { $some }
told-pbx-length-unknown = длина внутренних номеров неизвестна: { $why }
told-pbx-answer-bare = ответ без данных
told-pbx-answer-empty = пустой ответ
told-pbx-answer-cut = { $n } байт JSON, оборванного или незнакомого вида
told-pbx-answer-large = ответ больше { $n } байт
told-pbx-blocked = она на несколько минут закрыла этот адрес из-за слишком частых запросов
told-pbx-pictures-large = фотографии больше { $n } байт не переносятся
told-pbx-picture-old = фотография старой версии АТС
told-pbx-picture-save = сохраните сотрудника в АТС один раз, и фотография обновится
told-pbx-filter = входной фильтр АТС принимает `{ $pattern }` за атаку. { $advice }
told-pbx-no-key = нет ключа API
told-pbx-no-password = нет пароля для `{ $login }`
told-pbx-not-local = Rollcall обращается не с самой АТС: нужен ключ API
told-pbx-key = Ключ API неизвестен или удалён, или в нём нет { $grant }; ключ, опробованный раньше, чем создан, заработает через минуту
told-pbx-token = Токен для `{ $login }` не принят
told-pbx-plain-http = в адресе http: вход и все SIP-пароли идут открытым текстом; нужен https
told-pbx-trust-unused = в адресе http: выбранное доверие к сертификату не действует
told-pbx-local-only = без учётных данных можно войти только на самой АТС (127.0.0.1)
told-pbx-no-login = логин пуст
told-pbx-authority = центр указан не сертификатом PEM
told-pbx-address-scheme = адрес начинается с http:// или https://, например https://pbx.example.org
told-pbx-address-wrong = `{ $text }` — не адрес: { $why }
told-pbx-address-user = в адресе не должно быть ни имени, ни пароля
told-pbx-address-host = в адресе нет узла
told-pbx-address-behind = адрес пишется как https://pbx.example.org, и после него ничего нет
told-pbx-pin = отпечаток — SHA-256: 64 шестнадцатеричные цифры, можно с двоеточиями
told-pbx-authority-unreadable = сертификат центра не читается: { $why }
told-pbx-no-tls = TLS там нет
told-pbx-pin-other = его отпечаток SHA-256 — { $seen }, а принят другой
told-pbx-answer-unknown = JSON незнакомого вида
told-pbx-found = { $text }: найдено `{ $pattern }`
told-pbx-front-filter = её входной фильтр не пускает этот адрес: { $text }. Разрешите его в межсетевом экране АТС
told-pbx-key-characters = в ключе есть символы, которых не передать: вставьте его заново
told-picture-unreadable = фотография не читается: { $why }
told-picture-pixels = в фотографии { $width }×{ $height } точек: уменьшить столько нельзя
told-picture-resize = размер фотографии не изменить: { $why }
told-picture-large = уменьшить фотографию до { $n } байт не удалось

# Хранилище, учётные записи, серверы и ответы.
told-store-no-answer = база данных слишком долго не отвечала: её держит другой процесс или недоступен её сервер; ничего не сохранено, попробуйте ещё раз
told-store-full = на диске базы данных нет места; ничего не сохранено: освободите место и попробуйте ещё раз
told-store-read-only = в базу данных нельзя писать; проверьте владельца файла и не открыт ли диск только для чтения
told-store-sealed = { $what }: не расшифровать, ключ хранилища не тот, которым зашифровано; верните тот ключ или введите секрет заново
told-store-unreadable = { $what } в базе данных не читается: { $why }; восстановите резервную копию
told-store-linked = { $person } уже связан с сотрудником { $employee }; сначала эта связь должна закончиться
told-store-linked-elsewhere = сотрудник { $employee } уже связан с { $person } (домен { $directory }); сначала эта связь должна закончиться
told-store-name-taken = имя `{ $name }` уже занято; выберите другое
told-store-other-pbx = люди `{ $name }` связаны с сотрудниками её АТС; для другой АТС удалите сервер и добавьте заново
told-store-gone = { $what }: такого нет; возможно, тем временем удалено
told-store-taken-over = сервер `{ $server }` взял на себя другой процесс; этот запуск остановлен между двумя записями, следующий продолжит с этого места
told-store-refused = база данных отказала: { $why }
told-store-ended = его процесс закончился раньше него
told-web-login-length = в логине от 1 до { $n } символов
told-web-login-control = в логине нет управляющих символов
told-web-password-length = в пароле от { $least } до { $most } символов
told-web-tokens-many = токенов уже { $n }; сначала отзовите один
told-web-token-name = в имени токена от 1 до { $n } символов, управляющих среди них нет
told-web-broke-down = сбой; подробности в журнале
told-web-no-answer-of-conflict = это не ответ на конфликт
told-web-none-marked = ни один конфликт не отмечен
told-web-none-so = ни на один из этих конфликтов так ответить нельзя
told-web-region = `{ $region }` — не страна, чьи телефонные номера известны: RU, DE, …
told-web-port = `{ $text }` — не порт: от 1 до 65535
told-web-password-of-other = сохранённый пароль относится к сохранённым адресу и логину: введите пароль для этих
told-web-meanwhile = этот сервер тем временем изменил кто-то другой: отбросьте эти изменения и внесите их заново в то, что сохранено теперь
told-web-percent = доля — не больше 100 процентов
told-web-floor = нижняя граница выше верхней: тогда она ничего не значит
told-app-no-server = сервера `{ $name }` нет; { $known }
told-app-no-pbx = АТС не задана; укажите её: `rollcall pbx set --url URL`
told-app-server-unreadable = настройки сервера `{ $server }` не читаются; добавьте его заново
told-app-pbx-unreadable = настройки АТС не читаются; задайте их заново: `rollcall pbx set`
told-notify-slow = { $program }: дольше { $time }, завершена
told-notify-lost = { $program }: дождаться не удалось
told-notify-failed = { $program }: неудача ({ $status })
told-notify-failed-said = { $program }: неудача ({ $status }): { $said }
told-notify-not-started = { $program }: запустить не удалось
told-schedule-minutes = автоматический запуск — каждые 1–{ $most } минут
told-schedule-changing = расписание постоянно меняют другие; попробуйте ещё раз
told-schedule-unreadable = расписание сервера не читается
told-server-exists = сервер `{ $name }` уже есть; его изменяет `rollcall server edit { $same }`
told-server-other-domain = `{ $base }` не в домене `{ $name }`: другой контекст имён — это другой каталог; добавьте новый сервер
told-server-other-ids = люди `{ $name }` ({ $n }) известны по идентификаторам: другой тип или атрибут-идентификатор — это другой каталог; добавьте новый сервер
told-server-busy = сервер `{ $name }` сейчас синхронизируется; попробуйте, когда это закончится
told-server-name = в имени сервера от 1 до { $n } символов, без управляющих, без пробелов по краям и без - в начале
told-server-numbers = `{ $text }` — не диапазон вида 200-299: { $why }
told-server-range-zero = диапазон не может начинаться с нуля
told-server-range-dash = нет `-`
told-server-range-ends = конец раньше начала
told-answer-not-so = на конфликт { $id } так ответить нельзя; вот что можно: { $ways }. См. `rollcall conflicts show { $same }`
told-answer-no-candidate = сотрудник { $id } не подходит к конфликту { $conflict }; подходят: { $all }
told-answer-which = этим человеком могут быть несколько сотрудников: укажите, который
told-answer-no-number = `{ $number }` — не внутренний номер: { $why }
told-answer-kinds = конфликты { $one } и { $other } разного рода; ответьте на них по одному
told-answer-single = сотрудник и номер бывают у одного человека: ответьте на эти конфликты по одному
told-answer-none = у конфликта { $id } нет ответа, который можно отозвать
told-answer-gone = конфликта { $id } больше нет; см. `rollcall conflicts list`
